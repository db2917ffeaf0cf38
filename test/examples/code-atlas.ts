import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

export interface Facts {
  path: string;
  bytes: number;
  error: string | null;
  imports: string[];
  exports: string[];
  identifiers: [string, number][];
}

/** A module of the example, as built. */
export const exampleUrl = (name: string) =>
  new URL(`../../../examples/dist/code-atlas/${name}.js`, import.meta.url).href;
export const example = (name: string) => import(exampleUrl(name));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files, until the tests of the file are over. */
export function tree(files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "code-atlas-"));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const { parseFile } = await example("parse-file");

export const parse = (path: string, source: string): Facts => parseFile(path, source, Buffer.byteLength(source));

export const lastLine = (text: string) => JSON.parse(text.trimEnd().split("\n").at(-1) as string);
