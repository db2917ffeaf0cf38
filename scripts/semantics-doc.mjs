// Writes into docs/runtime-semantics.md which tests check each of its promises. A promise ends with its key in a comment;
// a test names the promises that it checks in comments `// Promise: <key>` above its name.
// Usage: node scripts/semantics-doc.mjs [--check] [--root folder]. With --check it writes nothing, and fails where the page is out of date.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import ts from "typescript-api";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    root: { type: "string", default: fileURLToPath(new URL("..", import.meta.url)) },
  },
});
const { root } = values;

/** The cases of OTP's that stand in front of a test's name. */
const OTP_CASES = /^(?:\[[^\]]*\] )+/;

/** The names that stand below such comments, by key. */
function testsByKey() {
  const tests = new Map();
  const files = readdirSync(join(root, "test"), { recursive: true }).map((file) => file.replaceAll("\\", "/"));
  for (const file of files.filter((path) => /^(?!dist\/|node_modules\/).*\.ts$/.test(path)).sort()) {
    const text = readFileSync(join(root, "test", file), "utf8");
    if (!text.includes("// Promise: ")) continue;
    for (const { keys, name } of taggedNames(file, text)) {
      for (const key of keys) tests.set(key, [...(tests.get(key) ?? []), { file, name }]);
    }
  }
  return tests;
}

/** The first string below the comments is the name. */
function* taggedNames(file, text) {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const strings = [];
  const visit = (node) => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      strings.push({ at: node.getStart(tree), name: node.text });
    } else if (ts.isTemplateExpression(node)) {
      strings.push({ at: node.getStart(tree), name: node.getText(tree).slice(1, -1) });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  for (const block of text.matchAll(/(?:^[ \t]*\/\/ Promise: .+\n)+/gm)) {
    const keys = [...block[0].matchAll(/Promise: (.+)/g)].map(([, key]) => key.trim());
    const below = strings.find(({ at }) => at >= block.index + block[0].length);
    if (below === undefined) throw new Error(`test/${file}: no test below "${block[0].trim()}"`);
    yield { keys, name: below.name.replace(OTP_CASES, "") };
  }
}

const tests = testsByKey();
const file = join(root, "docs/runtime-semantics.md");
const page = readFileSync(file, "utf8");
const problems = [];
const known = new Set();
const written = page.replace(/^- ([\s\S]*?)<!-- (\S+) -->\n(?: {2}- .*\n)*/gm, (_, sentence, key) => {
  if (known.has(key)) problems.push(`two promises have the key ${key}`);
  known.add(key);
  const checks = tests.get(key) ?? [];
  if (checks.length === 0) problems.push(`no test checks the promise ${key}`);
  return [`- ${sentence}<!-- ${key} -->`, ...checks.map((check) => `  - \`${check.file}\`: ${check.name}`), ""].join(
    "\n",
  );
});
for (const item of page.split(/^- /m).slice(1)) {
  const [sentence] = item.split(/\n {2}- /);
  if (!/<!-- \S+ -->/.test(sentence)) problems.push(`a promise has no key: ${sentence.trim()}`);
}
for (const [key, [{ file: at, name }]] of tests) {
  if (!known.has(key)) problems.push(`test/${at}: "${name}" checks ${key}, which is no promise of the page`);
}
if (values.check && written !== page) problems.push("the page is out of date; run `pnpm docs:semantics`");
if (!values.check) writeFileSync(file, written);
for (const problem of problems) console.error(`docs/runtime-semantics.md: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
