import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import treeSitter, { type Node } from "@vscode/tree-sitter-wasm";
import { LINKS, TYPESCRIPT_LINKS } from "./module-links.js";
import type { SourceFile } from "./source-tree.js";

/** What the atlas knows of one file. Names travel in lists: as keys of an object, `__proto__` would not. */
export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  /** Why it does not parse, or does so only in part. */
  readonly error: string | null;
  /** Each specifier once. */
  readonly imports: readonly string[];
  /** Each name once. */
  readonly exports: readonly string[];
  readonly identifiers: ReadonlyArray<readonly [name: string, count: number]>;
}

/** The largest source that is parsed: its syntax tree takes some 300 MiB. */
export const SOURCE_LIMIT = 16 * 1024 * 1024;

/**
 * The parser reports every hundred of its steps. A step takes 2–10 µs and leaves 20–200 bytes, and real code takes up
 * to one step a byte: with so many reports neither 30 seconds nor the 2 GiB that wasm can address are passed. Counted,
 * not timed, so that it ends on every thread in the same place.
 */
const REPORT_LIMIT = 80_000;

const NAMES = [
  "identifier",
  "property_identifier",
  "private_property_identifier",
  "shorthand_property_identifier",
  "shorthand_property_identifier_pattern",
  "statement_identifier",
  "type_identifier",
];
const LINKED = ["import_statement", "export_statement", "call_expression", "assignment_expression"];
const NODES = [...NAMES, ...LINKED];

/** How a call or an assignment starts that may be a link. A look at the text is cheaper than a query. */
const MAYBE_LINK = /(?:import|export|exports|module|require|Object)\b/y;

const { resolve } = createRequire(import.meta.url);
await treeSitter.Parser.init();
const parser = new treeSitter.Parser();
const javascript = await grammar("javascript", LINKS);
const typescript = await grammar("typescript", LINKS + TYPESCRIPT_LINKS);
const tsx = await grammar("tsx", LINKS + TYPESCRIPT_LINKS);

async function grammar(name: string, links: string) {
  const language = await treeSitter.Language.load(resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`));
  return { language, links: new treeSitter.Query(language, links) };
}

/** Reads and parses one file, blocking. Never throws: what goes wrong becomes the file's `error`. */
export function readFacts(root: string, { path, bytes }: SourceFile): FileFacts {
  if (bytes > SOURCE_LIMIT) return withoutFacts(path, bytes, `larger than ${SOURCE_LIMIT} bytes`);
  let source: string;
  try {
    source = readFileSync(join(root, path), "utf8");
  } catch (error) {
    return withoutFacts(path, bytes, `cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return parseFile(path, source, bytes);
}

/** Pure: the same text gives the same facts in every thread, however broken it is. */
export function parseFile(path: string, source: string, bytes: number): FileFacts {
  const { language, links } = /\.[cm]?ts$/.test(path) ? typescript : path.endsWith(".tsx") ? tsx : javascript;
  let reports = 0;
  parser.setLanguage(language);
  const tree = parser.parse(source, null, { progressCallback: () => ++reports > REPORT_LIMIT });
  if (tree === null) {
    parser.reset();
    return withoutFacts(path, bytes, "takes too long to parse");
  }
  const imports = new Set<string>();
  const exports = new Set<string>();
  const identifiers = new Map<string, number>();
  for (const node of tree.rootNode.descendantsOfType(NODES)) {
    if (node === null) continue;
    if (!LINKED.includes(node.type)) {
      const name = source.slice(node.startIndex, node.endIndex);
      identifiers.set(name, (identifiers.get(name) ?? 0) + 1);
      continue;
    }
    MAYBE_LINK.lastIndex = node.startIndex;
    if (!MAYBE_LINK.test(source)) continue;
    // The node itself, not what is in it: that has its own turn.
    for (const { name, node: part } of links.captures(node, { maxStartDepth: 0 })) {
      const text = part.type === "string" ? part.text.slice(1, -1) : part.text;
      if (name === "import") imports.add(text);
      if (name === "export" || name === "default") exports.add(text);
      // What follows is the name of the declaration, which is not exported.
      if (name === "default") break;
    }
  }
  const error = complaint(tree.rootNode);
  tree.delete();
  return { path, bytes, error, imports: [...imports], exports: [...exports], identifiers: [...identifiers] };
}

/** What the parser did not understand first, and where. */
function complaint(root: Node): string | null {
  let node: Node | null | undefined = root.hasError ? root : null;
  while (node && !node.isError && !node.isMissing) node = node.children.find((child) => child?.hasError);
  if (!node) return root.hasError ? "unexpected syntax" : null;
  const { row, column } = node.startPosition;
  return `${node.isMissing ? `${JSON.stringify(node.type)} expected` : "unexpected syntax"} (${row + 1}:${column})`;
}

function withoutFacts(path: string, bytes: number, error: string): FileFacts {
  return { path, bytes, error, imports: [], exports: [], identifiers: [] };
}
