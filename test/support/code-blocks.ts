import { readFileSync } from "node:fs";

const root = new URL("../../../", import.meta.url);

export interface CodeBlock {
  /** The document, relative to the project's root. */
  readonly document: string;
  /** Of the block's first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** What its first line names, as `// main.mjs: what it does`. */
  readonly file: string | undefined;
  readonly code: string;
}

/** The code blocks of a document in Markdown. */
export function codeBlocks(document: string): CodeBlock[] {
  const text = readFileSync(new URL(document, root), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
    document,
    line: text.slice(0, index).split("\n").length + 1,
    language,
    file: /^(?:\/\/|#) ([\w./-]+\.\w+)/.exec(code)?.[1],
    code,
  }));
}
