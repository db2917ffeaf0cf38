import type { Node, TreeCursor } from "@vscode/tree-sitter-wasm";
import { stringValue, unescaped } from "./string-value.js";
import type { Part } from "./syntax-tree.js";

/** How a file names another module. */
export type ImportKind = "import" | "type" | "export" | "dynamic" | "require";

export interface ModuleLinks {
  import(specifier: string, kind: ImportKind): void;
  export(name: string): void;
}

/** What an assignment to `module.exports` and TypeScript's `export =` are listed as. */
export const EXPORT_ASSIGNMENT = "export =";

/** What a part imports or exports, in ES modules, CommonJS and TypeScript. `isType`: it stands where a type does. */
export function readLinks(part: Part, cursor: TreeCursor, isType: boolean, source: string, links: ModuleLinks): void {
  if (part === "import") readImport(cursor.currentNode, links);
  else if (part === "export") readExport(cursor.currentNode, links);
  else if (part === "assignment") {
    if (startsWithOneOf(source, cursor.startIndex, TARGETS)) exportTarget(cursor.currentNode, links);
  } else if (startsWithOneOf(source, cursor.startIndex, CALLEES)) readCall(cursor.currentNode, isType, links);
}

const TARGETS = ["exports", "module"];
const CALLEES = ["require", "import", "Object"];

/** A look at the text is cheaper than one at the tree. */
function startsWithOneOf(source: string, at: number, words: readonly string[]): boolean {
  return words.some((word) => source.startsWith(word, at));
}

function readImport(node: Node, links: ModuleLinks): void {
  const required = node.namedChildren.find((child) => child?.type === "import_require_clause");
  const source = (required ?? node).childForFieldName("source");
  const isType = node.child(1)?.type === "type";
  importFrom(source, isType ? "type" : required ? "require" : "import", links);
}

function readExport(node: Node, links: ModuleLinks): void {
  // After `export`, and after a decorator that stands before it.
  const words = node.children.map((child) => child?.type);
  const next = words.indexOf("export") + 1;
  importFrom(node.childForFieldName("source"), words[next] === "type" ? "type" : "export", links);
  if (words.includes("default")) return links.export("default");
  if (words[next] === "=") return links.export(EXPORT_ASSIGNMENT);
  if (words.includes("*")) return links.export("*");
  if (words[next] === "as") return exportName(node.namedChild(0), links);
  const declaration = node.childForFieldName("declaration");
  if (declaration !== null) return exportDeclaration(declaration, links);
  for (const clause of node.namedChildren) {
    if (clause?.type === "namespace_export") exportName(clause.namedChild(0), links);
    if (clause?.type === "export_clause") for (const item of clause.namedChildren) exportItem(item, links);
  }
}

function exportItem(item: Node | null, links: ModuleLinks): void {
  if (item?.type !== "export_specifier") return;
  exportName(item.childForFieldName("alias") ?? item.childForFieldName("name"), links);
}

function exportDeclaration(outer: Node, links: ModuleLinks): void {
  const declaration = outer.type === "ambient_declaration" ? outer.namedChildren.at(-1) : outer;
  const isAlias = declaration?.type === "import_alias";
  const name = isAlias ? declaration.namedChild(0) : declaration?.childForFieldName("name");
  if (name) return exportName(name, links);
  for (const declarator of declaration?.namedChildren ?? []) {
    if (declarator?.type === "variable_declarator") exportPattern(declarator.childForFieldName("name"), links);
  }
}

/** Every name that a destructuring pattern declares. Patterns nest as deep as they like: no recursion. */
function exportPattern(outermost: Node | null, links: ModuleLinks): void {
  const patterns = [outermost];
  while (patterns.length > 0) {
    const pattern = patterns.pop();
    if (!pattern) continue;
    if (/^(?:identifier|shorthand_property_identifier_pattern)$/.test(pattern.type)) exportName(pattern, links);
    else if (pattern.type === "pair_pattern") patterns.push(pattern.childForFieldName("value"));
    else if (pattern.type.endsWith("assignment_pattern")) patterns.push(pattern.childForFieldName("left"));
    else if (/^(?:object|array|rest)_pattern$/.test(pattern.type)) {
      for (const part of [...pattern.namedChildren].reverse()) patterns.push(part);
    }
  }
}

/** `require(…)`, `require.resolve(…)`, `import(…)` and `Object.defineProperty(exports, …)`. */
function readCall(call: Node, isType: boolean, links: ModuleLinks): void {
  const callee = call.childForFieldName("function");
  const list = call.childForFieldName("arguments");
  if (callee === null || list?.type !== "arguments") return;
  const [first, second] = list.namedChildren.filter((child) => child?.type !== "comment");
  if (callee.type === "import") importFrom(first, isType ? "type" : "dynamic", links);
  else if (isName(callee, "require") || isMember(callee, "require", "resolve")) importFrom(first, "require", links);
  else if (isMember(callee, "Object", "defineProperty") && isExports(first)) {
    const name = stringValue(second);
    if (name !== undefined && name !== "__esModule") links.export(name);
  }
}

/** `exports.x`, `module.exports.x` and `module.exports` as the target of an assignment. */
function exportTarget(assignment: Node, links: ModuleLinks): void {
  const target = assignment.childForFieldName("left");
  if (isMember(target, "module", "exports")) return links.export(EXPORT_ASSIGNMENT);
  if (!isExports(target?.childForFieldName("object"))) return;
  const name = memberName(target);
  if (name !== undefined && name !== "__esModule") links.export(name);
}

function isExports(node: Node | null | undefined): boolean {
  return isName(node, "exports") || isMember(node, "module", "exports");
}

function isName(node: Node | null | undefined, name: string): boolean {
  return node?.type === "identifier" && node.text === name;
}

function isMember(node: Node | null | undefined, object: string, property: string): boolean {
  return memberName(node) === property && isName(node?.childForFieldName("object"), object);
}

function memberName(node: Node | null | undefined): string | undefined {
  if (node?.type === "member_expression") return node.childForFieldName("property")?.text;
  return node?.type === "subscript_expression" ? stringValue(node.childForFieldName("index")) : undefined;
}

function exportName(node: Node | null, links: ModuleLinks): void {
  if (node !== null) links.export(stringValue(node) ?? unescaped(node.text));
}

function importFrom(source: Node | null | undefined, kind: ImportKind, links: ModuleLinks): void {
  const specifier = stringValue(source);
  if (specifier !== undefined) links.import(specifier, kind);
}
