import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("../../types/programs/", import.meta.url));
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "lib/tsc.js");

interface Complaint {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** What the compiler has against the programs, each with the lines that explain it. */
function complaints(): Complaint[] {
  const output = compile();
  const found: { file: string; line: number; text: string }[] = [];
  for (const line of output.split("\n")) {
    const head = /^(?<file>\S[^(]*)\((?<line>\d+),\d+\): error (?<text>.*)/.exec(line)?.groups;
    if (head !== undefined) found.push({ file: head.file, line: Number(head.line), text: head.text });
    else if (found.length > 0) found[found.length - 1].text += `\n${line}`;
  }
  return found;
}

function compile(): string {
  try {
    return execFileSync(process.execPath, [compiler, "-p", ".", "--pretty", "false"], {
      cwd: folder,
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** A line that says of itself that it is refused, what the compiler must name, and whether in one complaint. */
interface Mark extends Complaint {
  readonly once: boolean;
}

function marked(): Mark[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .split("\n")
        .flatMap((source, index) => {
          const { once, text } = /\/\/ refused(?<once> once)?: (?<text>.*)/.exec(source)?.groups ?? {};
          return text === undefined ? [] : [{ file, line: index + 1, text, once: once !== undefined }];
        }),
    );
}

const found = complaints();
const expected = marked();

test.each(expected)("$file:$line does not compile: $text", ({ file, line, text, once }) => {
  const here = found.filter((complaint) => complaint.file === file && complaint.line === line);
  expect(here.map((complaint) => complaint.text).join("\n")).toContain(text);
  if (once) expect(here).toHaveLength(1);
});

test("everything else of the type programs compiles", () => {
  const places = new Set(expected.map(({ file, line }) => `${file}:${line}`));
  expect(found.filter(({ file, line }) => !places.has(`${file}:${line}`))).toEqual([]);
});
