import { createHash } from "node:crypto";
import { originOf } from "./package-name.js";
import type { FileFacts } from "./parse-file.js";

/** A file's facts without its identifiers, which are merged over all files, and how many there were. */
interface FileEntry extends Omit<FileFacts, "identifiers"> {
  readonly distinct: number;
  readonly occurrences: number;
}

type Count = readonly [name: string, count: number];

/** The index of a tree. Built by `addFile` in any order: the same files always give the same atlas. */
export interface Atlas {
  readonly files: Map<string, FileEntry>;
  readonly identifiers: Map<string, number>;
  /** By package or `node:` module: how many files import it. */
  readonly packages: Map<string, number>;
  readonly builtins: Map<string, number>;
  bytes: number;
  parseErrors: number;
  unreadable: number;
}

/** What is told of an atlas. `digest` covers all of it. */
export interface AtlasSummary {
  readonly files: number;
  readonly bytes: number;
  readonly parseErrors: number;
  readonly unreadable: number;
  readonly imports: number;
  readonly exports: number;
  readonly distinctIdentifiers: number;
  readonly topPackages: readonly Count[];
  readonly topBuiltins: readonly Count[];
  readonly topIdentifiers: readonly Count[];
  readonly digest: string;
}

export function emptyAtlas(): Atlas {
  return {
    files: new Map(),
    identifiers: new Map(),
    packages: new Map(),
    builtins: new Map(),
    bytes: 0,
    parseErrors: 0,
    unreadable: 0,
  };
}

/** False, and nothing changes, when the atlas has this path: facts may be delivered more than once. */
export function addFile(atlas: Atlas, facts: FileFacts): boolean {
  if (atlas.files.has(facts.path)) return false;
  let occurrences = 0;
  for (const [name, count] of facts.identifiers) {
    occurrences += count;
    atlas.identifiers.set(name, (atlas.identifiers.get(name) ?? 0) + count);
  }
  for (const { kind, name } of originsOf(facts)) {
    const counts = kind === "package" ? atlas.packages : atlas.builtins;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const { identifiers, ...entry } = facts;
  atlas.files.set(facts.path, { ...entry, distinct: identifiers.length, occurrences });
  atlas.bytes += facts.bytes;
  if (facts.error !== null) atlas.parseErrors++;
  return true;
}

/** Each package and builtin once, however often the file imports it. */
function originsOf(facts: FileFacts) {
  const origins = new Map<string, NonNullable<ReturnType<typeof originOf>>>();
  for (const [specifier] of facts.imports) {
    const origin = originOf(specifier);
    if (origin !== undefined) origins.set(origin.name, origin);
  }
  return origins.values();
}

/** The whole atlas as JSON lines with everything sorted, so that equal atlases are equal bytes. */
export function* canonicalLines(atlas: Atlas): Generator<string, void, undefined> {
  const { bytes, parseErrors, unreadable } = atlas;
  yield line(["atlas", atlas.files.size, bytes, parseErrors, unreadable]);
  for (const path of [...atlas.files.keys()].sort()) {
    const file = atlas.files.get(path) as FileEntry;
    const imports = [...file.imports].sort(byText);
    const exports = [...file.exports].sort();
    yield line(["file", path, file.bytes, file.error, imports, exports, file.distinct, file.occurrences]);
  }
  for (const name of ["packages", "builtins", "identifiers"] as const) {
    for (const key of [...atlas[name].keys()].sort()) yield line([name, key, atlas[name].get(key)]);
  }
}

export function summarize(atlas: Atlas): AtlasSummary {
  const hash = createHash("sha256");
  for (const canonical of canonicalLines(atlas)) hash.update(canonical);
  const entries = [...atlas.files.values()];
  return {
    files: atlas.files.size,
    bytes: atlas.bytes,
    parseErrors: atlas.parseErrors,
    unreadable: atlas.unreadable,
    imports: entries.reduce((sum, { imports }) => sum + imports.length, 0),
    exports: entries.reduce((sum, { exports }) => sum + exports.length, 0),
    distinctIdentifiers: atlas.identifiers.size,
    topPackages: top(atlas.packages, 10),
    topBuiltins: top(atlas.builtins, 10),
    topIdentifiers: top(atlas.identifiers, 10),
    digest: hash.digest("hex"),
  };
}

/** The most frequent first; names decide between equals. */
function top(counts: ReadonlyMap<string, number>, size: number): Count[] {
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, size);
}

function byText(a: readonly string[], b: readonly string[]): number {
  const [x, y] = [a.join(" "), b.join(" ")];
  return x < y ? -1 : x > y ? 1 : 0;
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
