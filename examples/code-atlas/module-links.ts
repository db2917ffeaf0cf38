import type { SyntaxNode } from "./syntax-tree.js";

/** How a file names another module. */
export type ImportKind = "import" | "type" | "export" | "dynamic" | "require";

export interface ModuleLinks {
  import(specifier: string, kind: ImportKind): void;
  export(name: string): void;
}

/** What an assignment to `module.exports` and TypeScript's `export =` are listed as. */
export const EXPORT_ASSIGNMENT = "export =";

type Read = (node: SyntaxNode, links: ModuleLinks) => void;

/** By node type: what it imports or exports, in ES modules, CommonJS and TypeScript. */
export const READ_LINKS: ReadonlyMap<string, Read> = new Map<string, Read>([
  [
    "ImportDeclaration",
    (node, links) => {
      importFrom(node.source, node.importKind === "type" ? "type" : "import", links);
    },
  ],
  [
    "ExportAllDeclaration",
    (node, links) => {
      importFrom(node.source, node.exportKind === "type" ? "type" : "export", links);
      links.export("*");
    },
  ],
  [
    "ExportNamedDeclaration",
    (node, links) => {
      importFrom(node.source, node.exportKind === "type" ? "type" : "export", links);
      for (const specifier of nodes(node.specifiers)) exportName(specifier.exported, links);
      if (isNode(node.declaration)) exportDeclaration(node.declaration, links);
    },
  ],
  ["ExportDefaultDeclaration", (_node, links) => links.export("default")],
  ["TSExportAssignment", (_node, links) => links.export(EXPORT_ASSIGNMENT)],
  ["TSNamespaceExportDeclaration", (node, links) => exportName(node.id, links)],
  [
    "TSImportEqualsDeclaration",
    (node, links) => {
      const { moduleReference: from } = node;
      if (isNode(from) && from.type === "TSExternalModuleReference") {
        importFrom(from.expression, node.importKind === "type" ? "type" : "require", links);
      }
      if (node.isExport === true) exportName(node.id, links);
    },
  ],
  ["TSImportType", (node, links) => importFrom(node.argument, "type", links)],
  ["ImportExpression", (node, links) => importFrom(node.source, "dynamic", links)],
  ["CallExpression", readCall],
  [
    "AssignmentExpression",
    (node, links) => {
      if (isNode(node.left)) exportMember(node.left, links);
    },
  ],
]);

function readCall(node: SyntaxNode, links: ModuleLinks): void {
  const [first, second] = nodes(node.arguments);
  if (!isNode(node.callee) || first === undefined) return;
  if (isName(node.callee, "require") || isMember(node.callee, "require", "resolve")) {
    importFrom(first, "require", links);
  } else if (isMember(node.callee, "Object", "defineProperty") && isExports(first)) {
    const name = text(second);
    if (name !== undefined && name !== "__esModule") links.export(name);
  }
}

/** `exports.x`, `module.exports.x` and `module.exports` as the target of an assignment. */
function exportMember(target: SyntaxNode, links: ModuleLinks): void {
  if (target.type !== "MemberExpression" || !isNode(target.object)) return;
  if (isMember(target, "module", "exports")) links.export(EXPORT_ASSIGNMENT);
  else if (isExports(target.object)) {
    const name = memberName(target);
    if (name !== undefined && name !== "__esModule") links.export(name);
  }
}

function isExports(node: SyntaxNode): boolean {
  return isName(node, "exports") || isMember(node, "module", "exports");
}

function exportDeclaration(declaration: SyntaxNode, links: ModuleLinks): void {
  if (declaration.type === "VariableDeclaration") {
    for (const declarator of nodes(declaration.declarations)) exportPattern(declarator.id, links);
  } else exportName(declaration.id, links);
}

/** Every name that a destructuring pattern declares. */
function exportPattern(pattern: unknown, links: ModuleLinks): void {
  if (!isNode(pattern)) return;
  if (pattern.type === "Identifier") exportName(pattern, links);
  else if (pattern.type === "ObjectPattern") {
    for (const property of nodes(pattern.properties)) {
      exportPattern(property.value ?? property.argument, links);
    }
  } else if (pattern.type === "ArrayPattern") {
    for (const element of nodes(pattern.elements)) exportPattern(element, links);
  } else exportPattern(pattern.left ?? pattern.argument, links);
}

function exportName(node: unknown, links: ModuleLinks): void {
  if (!isNode(node)) return;
  const name = node.type === "Identifier" ? node.name : node.value;
  if (typeof name === "string") links.export(name);
}

function importFrom(source: unknown, kind: ImportKind, links: ModuleLinks): void {
  const specifier = text(source);
  if (specifier !== undefined) links.import(specifier, kind);
}

/** The value of a string that is written out: a literal or a template without substitutions. */
function text(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "StringLiteral") return node.value as string;
  if (node.type === "TSLiteralType") return text(node.literal);
  if (node.type !== "TemplateLiteral") return undefined;
  const quasis = nodes(node.quasis);
  const value = quasis[0]?.value as { cooked?: string } | undefined;
  return quasis.length === 1 ? value?.cooked : undefined;
}

function isName(node: unknown, name: string): boolean {
  return isNode(node) && node.type === "Identifier" && node.name === name;
}

function isMember(node: unknown, object: string, property: string): boolean {
  return (
    isNode(node) && node.type === "MemberExpression" && isName(node.object, object) && memberName(node) === property
  );
}

function memberName(member: SyntaxNode): string | undefined {
  if (member.computed === true) return text(member.property);
  return isNode(member.property) ? (member.property.name as string | undefined) : undefined;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function nodes(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
