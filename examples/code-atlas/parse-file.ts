import { type ImportKind, isNode, type ModuleLinks, READ_LINKS } from "./module-links.js";
import { parseSource, type SyntaxNode, type SyntaxTree } from "./syntax-tree.js";

/** What the atlas knows of one file. Names travel in lists: as keys of an object, `__proto__` would not. */
export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  /** Why it does not parse, or does so only in part. */
  readonly error: string | null;
  /** Each pair once. */
  readonly imports: ReadonlyArray<readonly [specifier: string, kind: ImportKind]>;
  /** Each name once. */
  readonly exports: readonly string[];
  readonly identifiers: ReadonlyArray<readonly [name: string, count: number]>;
}

/** Longer names and messages are cut, so that no single one outgrows a message between actors. */
const NAME_LIMIT = 1_024;

export const TOO_DEEP = "nested too deeply to be indexed";

/** A step down costs `STEP`, one along a spine 1. */
const STEP = 4;
/**
 * Parsing recurses, and how far it gets depends on the thread: main has 1 MiB of stack, a worker 4 MiB. Nested
 * arrays are the tightest fit, 378 deep on main; spines reach 1 500. With this limit (256 deep, or 1 024 along a
 * spine) a file is too deep on every thread or on none, whether or not its parser got through.
 */
const DEPTH_LIMIT = 256 * STEP;

/** The child along which chains as `a + b + c`, `a.b().c()` and `else if` grow: it takes little stack. */
const SPINES: ReadonlyMap<string, string> = new Map([
  ["BinaryExpression", "left"],
  ["LogicalExpression", "left"],
  ["MemberExpression", "object"],
  ["OptionalMemberExpression", "object"],
  ["CallExpression", "callee"],
  ["OptionalCallExpression", "callee"],
  ["ConditionalExpression", "alternate"],
  ["IfStatement", "alternate"],
  ["TSArrayType", "elementType"],
]);

/** Pure: the same text gives the same facts in every thread. Never throws for a text, however broken. */
export function parseFile(path: string, source: string, bytes: number): FileFacts {
  try {
    return factsOf(path, bytes, parseSource(path, source));
  } catch (error) {
    return withoutFacts(path, bytes, error instanceof RangeError ? TOO_DEEP : messageOf(error));
  }
}

/** A file of which nothing but the reason is known. */
export function withoutFacts(path: string, bytes: number, error: string): FileFacts {
  return { path, bytes, error: clean(error), imports: [], exports: [], identifiers: [] };
}

function factsOf(path: string, bytes: number, tree: SyntaxTree): FileFacts {
  const imports = new Map<string, [string, ImportKind]>();
  const exports = new Set<string>();
  const identifiers = new Map<string, number>();
  const count = (name: string): void => {
    identifiers.set(name, (identifiers.get(name) ?? 0) + 1);
  };
  const links: ModuleLinks = {
    import(specifier, kind) {
      const known = clean(specifier);
      imports.set(`${kind} ${known}`, [known, kind]);
    },
    export: (name) => void exports.add(clean(name)),
  };

  const visit = (node: SyntaxNode, depth: number): void => {
    const { type } = node;
    if (type === "Identifier" || type === "JSXIdentifier") count(node.name as string);
    else if (type === "TSTypeParameter") count(node.name as string);
    else if (type === "PrivateName") {
      count(`#${(node.id as SyntaxNode).name}`);
      return;
    } else if (type === "MetaProperty") return;
    else READ_LINKS.get(type)?.(node, links);

    const unseen = writtenOnce(node);
    const spine = SPINES.get(type);
    const keys = Object.keys(node);
    // The parser gives every node `type`, `start`, `end` and `loc` first.
    for (let k = 4; k < keys.length; k++) {
      const key = keys[k] as string;
      const child = node[key];
      if (child === null || typeof child !== "object" || key === unseen) continue;
      if (Array.isArray(child)) {
        for (let i = 0; i < child.length; i++) if (isNode(child[i])) descend(child[i], depth + STEP);
      } else if (isNode(child)) descend(child, depth + (key === spine ? 1 : STEP));
    }
  };
  const descend = (node: SyntaxNode, depth: number): void => {
    if (depth > DEPTH_LIMIT) throw new RangeError(TOO_DEEP);
    visit(node, depth);
  };

  visit(tree.program, 0);
  const [complaint] = tree.errors;
  return {
    path,
    bytes,
    error: complaint === undefined ? null : clean(complaint.message),
    imports: [...imports.values()],
    exports: [...exports],
    identifiers: [...identifiers].map(([name, times]) => [clean(name), times]),
  };
}

/** The child that stands for the same characters as another: `{ a }` and `import { a }` hold two nodes each. */
function writtenOnce(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case "ObjectProperty":
      return node.shorthand === true ? "key" : undefined;
    case "ImportSpecifier":
      return startOf(node.imported) === startOf(node.local) ? "imported" : undefined;
    case "ExportSpecifier":
      return startOf(node.exported) === startOf(node.local) ? "exported" : undefined;
    default:
      return undefined;
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.start : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Half of a surrogate pair does not survive UTF-8, which messages are sent in. */
function clean(name: string): string {
  const short = name.length > NAME_LIMIT ? name.slice(0, NAME_LIMIT) : name;
  return short.replace(/\p{Surrogate}/gu, "\uFFFD");
}
