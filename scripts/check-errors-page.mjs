// docs/errors.md has a row for each code of ActorErrorCode and each kind of ExitReason, and a row names every fact that the
// code gives to such an error. Usage, after a build: node scripts/check-errors-page.mjs [--page FILE]. The exit code is 1 when
// one lacks.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import ts from "typescript-api";

const root = fileURLToPath(new URL("..", import.meta.url));
const PAGE = "docs/errors.md";
const { page } = parseArgs({ options: { page: { type: "string", default: join(root, PAGE) } } }).values;
const DECLARATIONS = join(root, "packages/worker-host/dist/index.d.ts");
const SOURCES = ["packages/worker-host/src", "packages/runtime/src", "packages/cluster/src"];

// Neither of the two needs a library's types.
const program = ts.createProgram([DECLARATIONS], { module: ts.ModuleKind.NodeNext, noLib: true, types: [] });
const checker = program.getTypeChecker();

const problems = [];
const rows = rowsOf(readFileSync(page, "utf8"));
const codes = literalsOf("ActorErrorCode");
const facts = factsInCode();
for (const [code, given] of factsOfReasons()) facts.set(code, given);
for (const name of [...codes, ...literalsOf("ExitKind")]) {
  const row = rows.get(name);
  if (row === undefined) problems.push(`no row for ${name}`);
  for (const fact of facts.get(name) ?? []) {
    if (row !== undefined && !row.includes(`\`${fact}\``))
      problems.push(`the row for ${name} does not name \`${fact}\``);
  }
}
for (const name of rows.keys()) {
  if (name.startsWith("ERR_") && !codes.includes(name)) problems.push(`a row for ${name}, which is no code`);
}
for (const problem of problems) console.error(`${PAGE}: ${problem}`);
if (problems.length > 0) process.exitCode = 1;

/** The rows of the tables, by what their first cell names. */
function rowsOf(page) {
  return new Map([...page.matchAll(/^\| `(\w+)` +\|.*$/gm)].map(([row, name]) => [name, row]));
}

function exported(name) {
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(DECLARATIONS)));
  const symbol = symbols.find((symbol) => symbol.name === name);
  if (symbol === undefined) throw new Error(`${DECLARATIONS} exports no ${name}`);
  const declared = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return checker.getDeclaredTypeOfSymbol(declared);
}

function literalsOf(name) {
  return exported(name).types.map(({ value }) => value);
}

function* factsOfReasons() {
  for (const member of exported("ExitReason").types) {
    const names = checker.getPropertiesOfType(member).map(({ name }) => name);
    const kind = checker.getTypeOfSymbol(checker.getPropertyOfType(member, "kind")).value;
    yield [kind, names.filter((name) => name !== "kind")];
  }
}

/** What stands in `new ActorError("CODE", message, { … })`, by code. A code that is a variable says nothing here. */
function factsInCode() {
  const facts = new Map();
  for (const folder of SOURCES) {
    for (const file of readdirSync(join(root, folder), { recursive: true })) {
      if (!/\.c?ts$/.test(file)) continue;
      const tree = ts.createSourceFile(file, readFileSync(join(root, folder, file), "utf8"), ts.ScriptTarget.Latest);
      visit(tree, (code, names) => facts.set(code, new Set([...(facts.get(code) ?? []), ...names])));
    }
  }
  return facts;
}

function visit(node, found) {
  if (ts.isNewExpression(node) && node.expression.text === "ActorError") {
    const [code, , given] = node.arguments;
    if (ts.isStringLiteral(code) && given !== undefined && ts.isObjectLiteralExpression(given)) {
      found(
        code.text,
        given.properties.flatMap(({ name }) => (name === undefined ? [] : [name.text])),
      );
    }
  }
  ts.forEachChild(node, (child) => visit(child, found));
}
