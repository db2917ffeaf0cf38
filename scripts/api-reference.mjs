// Writes docs/api.md from the declarations that the packages are built to. Usage, after a build:
//   node scripts/api-reference.mjs [--check]
// With --check nothing is written; the exit code is 1 when the document is not what the code says.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const DOCUMENT = join(root, "docs/api.md");

const ENTRY_POINTS = [
  [
    "@mini-otp/worker-host",
    "packages/worker-host/dist/index.d.ts",
    "What an actor's module imports, in the actor's thread.",
  ],
  ["@mini-otp/runtime", "packages/runtime/dist/index.d.ts", "The main thread."],
  ["@mini-otp/runtime/testing", "packages/runtime/dist/testing/index.d.ts", "For tests: see [testing.md](testing.md)."],
  ["@mini-otp/metrics", "packages/metrics/dist/index.d.ts", "Metrics and the live page, on the main thread."],
];
const PACKAGES = {
  "@mini-otp/worker-host": "packages/worker-host/dist/index.d.ts",
  "@mini-otp/runtime": "packages/runtime/dist/index.d.ts",
};

/** The declaration file that a specifier in `from` leads to. */
function fileOf(specifier, from) {
  const known = PACKAGES[specifier];
  if (known !== undefined) return join(root, known);
  const room = /^@mini-otp\/worker-host\/(protocol\/\w+)$/.exec(specifier)?.[1];
  if (room !== undefined) return join(root, `packages/worker-host/dist/${room}/index.d.ts`);
  return resolve(dirname(from), specifier.replace(/\.js$/, ".d.ts"));
}

/** Where each name that a declaration file exports is declared. */
function exportsOf(file) {
  const text = readFileSync(file, "utf8");
  const found = new Map();
  for (const [, names, specifier] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gm)) {
    for (const name of names.split(",")) {
      const [original, alias = original] = name
        .trim()
        .replace(/^type /, "")
        .split(" as ");
      if (original !== "") found.set(alias, locate(original, fileOf(specifier, file)));
    }
  }
  return found;
}

/** The file in which `name`, exported by `file`, is declared. */
function locate(name, file) {
  const text = readFileSync(file, "utf8");
  if (declarationIn(text, name) !== undefined) return { file, name };
  for (const [, names, specifier] of text.matchAll(/^export (?:type )?(?:\{([^}]*)\}|\*) from "([^"]+)";/gm)) {
    const next = fileOf(specifier, file);
    if (!existsSync(next)) continue;
    const listed = names?.split(",").some(
      (listed) =>
        listed
          .trim()
          .replace(/^type /, "")
          .split(" as ")
          .at(-1) === name,
    );
    const located = names === undefined || listed ? locate(name, next) : undefined;
    if (located !== undefined) return located;
  }
  return undefined;
}

/** The comment and the text of a declaration. Overloads are one. */
function declarationIn(text, name) {
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:async )?(?:function|class|interface|type|const) ${name}\\b`,
    "gm",
  );
  const parts = [...text.matchAll(start)].map(({ index }) => text.slice(index, endOf(text, index)));
  if (parts.length === 0) return undefined;
  const before = text.slice(0, text.search(start));
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(before)?.[1];
  return { comment, code: parts.join("\n") };
}

/** The end of the statement that begins at `from`: its closing brace, or its semicolon. */
function endOf(text, from) {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text.startsWith("/*", i)) i = text.indexOf("*/", i) + 1;
    else if ("{([".includes(text[i])) depth++;
    else if ("})]".includes(text[i]) && --depth === 0 && text[i] === "}" && text[i + 1] === "\n") return i + 1;
    else if (text[i] === ";" && depth === 0) return i + 1;
  }
  return text.length;
}

const prose = (comment = "") =>
  comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .filter((line) => !line.startsWith("@see"))
    .join("\n")
    .trim();

/** Without what is nobody's business. */
const shown = (code) =>
  code
    .replace(/\n *\/\*\* @internal[\s\S]*?\*\/\n[^\n]*(?=\n)/g, "")
    .replace(/\n *(?:#private|private \w+(?:\([^)]*\))?);/g, "")
    .replace(/^export (?:declare )?/gm, "");

const lines = [
  "# API reference",
  "",
  "Written by `node scripts/api-reference.mjs` from the code; a test compares the two.",
  "",
];
const seen = new Map();
for (const [name, file, what] of ENTRY_POINTS) {
  lines.push(`## ${name}`, "", what, "");
  const names = [...exportsOf(join(root, file))].sort(([a], [b]) => a.localeCompare(b, "en"));
  for (const [exported, located] of names) {
    if (located === undefined) throw new Error(`${file} exports ${exported}, which is declared nowhere`);
    const declaration = declarationIn(readFileSync(located.file, "utf8"), located.name);
    if (/@internal\b/.test(declaration.comment ?? "")) continue;
    const key = `${located.file} ${located.name}`;
    if (seen.has(key)) {
      lines.push(`### ${exported}`, "", `As in ${seen.get(key)}.`, "");
      continue;
    }
    seen.set(key, name);
    const { comment, code } = declaration;
    lines.push(`### ${exported}`, "");
    if (prose(comment) !== "") lines.push(prose(comment), "");
    lines.push("```ts", shown(code), "```", "");
  }
}
const text = `${lines.join("\n").trimEnd()}\n`;

if (process.argv.includes("--check")) {
  if (!existsSync(DOCUMENT) || readFileSync(DOCUMENT, "utf8") !== text) {
    console.error("docs/api.md is not what the code says: node scripts/api-reference.mjs");
    process.exitCode = 1;
  }
} else {
  writeFileSync(DOCUMENT, text);
}
