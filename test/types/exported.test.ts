import { createRequire } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Api from "typescript-api";
import { expect, test, vi } from "vitest";

// A program of all declarations is made, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const ts = createRequire(import.meta.url)("typescript-api") as typeof Api;
const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));

const ENTRY_POINTS = [
  "worker-host/dist/index.d.ts",
  "runtime/dist/index.d.ts",
  "runtime/dist/testing/index.d.ts",
  "metrics/dist/index.d.ts",
  "cluster/dist/index.d.ts",
  "cluster/dist/testing/index.d.ts",
].map((file) => packages + file);

const program = ts.createProgram(ENTRY_POINTS, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  types: ["node"],
});
const checker = program.getTypeChecker();

const resolved = (symbol: Api.Symbol): Api.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** What a user can import, by the symbol that is meant. */
const exported = new Map<Api.Symbol, string>();
for (const file of ENTRY_POINTS) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as Api.SourceFile) as Api.Symbol;
  for (const symbol of checker.getExportsOfModule(module)) exported.set(resolved(symbol), symbol.name);
}

const isInternal = (node: Api.Node): boolean =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");

/** No user can name these: `#x`, `private x`, what is marked as internal. */
function isHidden(node: Api.Node): boolean {
  if (!ts.isClassElement(node) && !ts.isTypeElement(node)) return isInternal(node);
  const isPrivate = node.name !== undefined && ts.isPrivateIdentifier(node.name);
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return isPrivate || isInternal(node) || modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
}

/** A conditional or mapped type is worked out by the compiler: its helpers are in no signature. */
const isWorkedOut = (node: Api.Node): boolean => ts.isConditionalTypeNode(node) || ts.isMappedTypeNode(node);

function namesIn(node: Api.Node, found: Set<Api.Symbol>): void {
  if (isHidden(node) || isWorkedOut(node)) return;
  const name = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : undefined;
  const symbol = name === undefined ? undefined : checker.getSymbolAtLocation(name);
  if (symbol !== undefined) found.add(resolved(symbol));
  ts.forEachChild(node, (child) => namesIn(child, found));
}

const isOurs = ({ declarations = [] }: Api.Symbol): boolean =>
  declarations.some(
    (declaration) =>
      declaration.getSourceFile().fileName.startsWith(packages) &&
      !declaration.getSourceFile().fileName.includes("/node_modules/") &&
      !ts.isTypeParameterDeclaration(declaration),
  );

test("every type that an exported signature names can be imported", () => {
  const missing = new Set<string>();
  for (const [symbol, name] of exported) {
    const found = new Set<Api.Symbol>();
    for (const declaration of symbol.declarations ?? []) namesIn(declaration, found);
    for (const named of found) if (isOurs(named) && !exported.has(named)) missing.add(`${named.name} (in ${name})`);
  }
  expect([...missing].sort(), [...missing].sort().join("\n")).toEqual([]);
});

test("every type that can be imported says what it is", () => {
  const silent = [...exported].filter(
    ([symbol]) =>
      isOurs(symbol) &&
      !(symbol.declarations ?? []).some(isInternal) &&
      symbol.getDocumentationComment(checker).length === 0,
  );
  const where = ({ declarations = [] }: Api.Symbol) => relative(packages, declarations[0].getSourceFile().fileName);
  const told = silent.map(([symbol, name]) => `${name} (${where(symbol)})`).sort();
  expect(told, told.join("\n")).toEqual([]);
});
