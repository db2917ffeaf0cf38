import { type ImportKind, type ModuleLinks, readLinks } from "./module-links.js";
import { unescaped } from "./string-value.js";
import { SyntaxTree, TooMuchWork } from "./syntax-tree.js";

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

/** Pure: the same text gives the same facts in every thread. Never throws for a text, however broken. */
export function parseFile(path: string, source: string, bytes: number): FileFacts {
  let tree: SyntaxTree;
  try {
    tree = new SyntaxTree(path, source);
  } catch (error) {
    if (error instanceof TooMuchWork) return withoutFacts(path, bytes, error.message);
    throw error;
  }
  try {
    return factsOf(path, source, bytes, tree);
  } finally {
    tree.delete();
  }
}

function factsOf(path: string, source: string, bytes: number, tree: SyntaxTree): FileFacts {
  const imports = new Map<string, [string, ImportKind]>();
  const exports = new Set<string>();
  const identifiers = new Map<string, number>();
  const links: ModuleLinks = {
    import(specifier, kind) {
      const known = clean(specifier);
      imports.set(`${kind} ${known}`, [known, kind]);
    },
    export: (name) => void exports.add(clean(name)),
  };
  tree.forEachPart((part, cursor, isType) => {
    if (part !== "name") return readLinks(part, cursor, isType, source, links);
    const start = cursor.startIndex;
    const written = source.slice(start, endOfName(source, start) ?? cursor.endIndex);
    // There it is a type's keyword.
    if (isType && written === "undefined") return;
    const count = identifiers.get(written);
    if (count !== undefined) identifiers.set(written, count + 1);
    else if (written !== "") {
      const name = clean(unescaped(written));
      identifiers.set(name, (identifiers.get(name) ?? 0) + 1);
    }
  });
  return {
    path,
    bytes,
    error: tree.complaint(),
    imports: [...imports.values()],
    exports: [...exports],
    identifiers: [...identifiers],
  };
}

/** Where a plain name ends: quicker than asking the tree. Undefined where it may have other characters in it. */
function endOfName(source: string, start: number): number | undefined {
  for (let at = start; ; at++) {
    const code = source.charCodeAt(at);
    const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
    if (isLetter || (code >= 48 && code <= 57) || code === 36 || code === 95) continue;
    const isPlainEnd = at > start && code < 128 && code !== 45 && code !== 92;
    return isPlainEnd || Number.isNaN(code) ? at : undefined;
  }
}

/** A file of which nothing but the reason is known. */
export function withoutFacts(path: string, bytes: number, error: string): FileFacts {
  return { path, bytes, error: clean(error), imports: [], exports: [], identifiers: [] };
}

/** Half of a surrogate pair does not survive UTF-8, which messages are sent in. */
function clean(name: string): string {
  const short = name.length > NAME_LIMIT ? name.slice(0, NAME_LIMIT) : name;
  return short.replace(/\p{Surrogate}/gu, "\uFFFD");
}
