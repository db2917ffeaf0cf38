import { createRequire } from "node:module";
import treeSitter, { type Language, type Tree, type TreeCursor } from "@vscode/tree-sitter-wasm";

/** A node that says something about a file: a name, a link to another module, or what may be one. */
export type Part = "name" | "import" | "export" | "call" | "assignment";

export class TooMuchWork extends Error {}

/**
 * The parser reports every hundred of its steps. A step takes 2–10 µs and leaves 20–200 bytes, and real code takes up
 * to one step a byte: with so many reports neither 30 seconds nor the 2 GiB that wasm can address are passed. Counted,
 * not timed, so that it ends on every thread in the same place.
 */
const REPORT_LIMIT = 80_000;

/** Nothing in them is looked at. */
const LEAVES = new Set([
  "comment",
  "false",
  "null",
  "number",
  "predefined_type",
  "regex",
  "string",
  "super",
  "this",
  "true",
]);

const PARTS: Readonly<Record<string, Part>> = {
  identifier: "name",
  property_identifier: "name",
  shorthand_property_identifier: "name",
  shorthand_property_identifier_pattern: "name",
  private_property_identifier: "name",
  statement_identifier: "name",
  type_identifier: "name",
  undefined: "name",
  import_statement: "import",
  export_statement: "export",
  call_expression: "call",
  assignment_expression: "assignment",
};

/** What a node's children are: types or values, what the node itself is, or first a value and then a type. */
type Holds = "types" | "values" | "the same" | "value and type";

interface Grammar {
  readonly language: Language;
  /** By node type: the part, or that there is nothing to look for beneath it. */
  readonly parts: readonly (Part | "leaf" | undefined)[];
  readonly holds: readonly Holds[];
}

const { resolve } = createRequire(import.meta.url);
await treeSitter.Parser.init();
const parser = new treeSitter.Parser();
const javascript = await load("javascript");
const typescript = await load("typescript");
const tsx = await load("tsx");

async function load(name: string): Promise<Grammar> {
  const language = await treeSitter.Language.load(resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`));
  const parts = language.types.map((type, id) =>
    language.nodeTypeIsNamed(id) && !LEAVES.has(type) ? PARTS[type] : "leaf",
  );
  return { language, parts, holds: language.types.map(holdsOf) };
}

/** The grammar has calls and members in types, too: `import("p").A`. */
function holdsOf(type: string): Holds {
  if (type === "as_expression" || type === "satisfies_expression") return "value and type";
  if (type === "call_expression" || type === "member_expression") return "the same";
  return /^type_|_type$|^constraint$|_annotation$|_type_clause$|^index_type_query$/.test(type) ? "types" : "values";
}

function grammarFor(path: string, source: string): Grammar {
  if (/\.[cm]?ts$/.test(path)) return typescript;
  if (path.endsWith(".tsx")) return tsx;
  // Flow's annotations are near enough to TypeScript's.
  const flow = /^\s*(?:\/\/|\/\*)[\s\S]{0,1000}?@flow\b/.test(source.slice(0, 2_000));
  return flow ? tsx : javascript;
}

/** One file's syntax tree, in memory outside the heap until it is deleted. */
export class SyntaxTree {
  readonly #tree: Tree;
  readonly #grammar: Grammar;

  /** What is not understood becomes part of the tree (`complaint`). Throws TooMuchWork and nothing else. */
  constructor(path: string, source: string) {
    this.#grammar = grammarFor(path, source);
    let reports = 0;
    parser.setLanguage(this.#grammar.language);
    const tree = parser.parse(source, null, { progressCallback: () => ++reports > REPORT_LIMIT });
    if (tree === null) {
      parser.reset();
      throw new TooMuchWork("takes too long to parse");
    }
    this.#tree = tree;
  }

  /** Every part in the order it is written, with a cursor on it. `visit` must leave the cursor where it is. */
  forEachPart(visit: (part: Part, cursor: TreeCursor, isType: boolean) => void): void {
    const { parts, holds } = this.#grammar;
    const cursor = this.#tree.walk();
    const above: boolean[] = [];
    let isType = false;
    let isCast = false;
    try {
      for (;;) {
        const id = cursor.nodeTypeId;
        const part = parts[id];
        if (part !== undefined && part !== "leaf") visit(part, cursor, isType);
        if (part !== "leaf" && part !== "name" && cursor.gotoFirstChild()) {
          above.push(isType, isCast);
          isType = holds[id] === "types" || (isType && holds[id] === "the same");
          isCast = holds[id] === "value and type";
          continue;
        }
        while (!cursor.gotoNextSibling()) {
          if (!cursor.gotoParent()) return;
          isCast = above.pop() === true;
          isType = above.pop() === true;
        }
        isType ||= isCast;
      }
    } finally {
      cursor.delete();
    }
  }

  /** What the parser did not understand first, and where. */
  complaint(): string | null {
    if (!this.#tree.rootNode.hasError) return null;
    const cursor = this.#tree.walk();
    try {
      for (;;) {
        const { isError, isMissing, hasError, isNamed, type, startPosition } = cursor.currentNode;
        const place = `(${startPosition.row + 1}:${startPosition.column})`;
        if (isMissing) return `${isNamed ? type : JSON.stringify(type)} expected ${place}`;
        if (isError) return `unexpected syntax ${place}`;
        if (!(hasError ? cursor.gotoFirstChild() : cursor.gotoNextSibling())) return `unexpected syntax ${place}`;
      }
    } finally {
      cursor.delete();
    }
  }

  delete(): void {
    this.#tree.delete();
  }
}
