import { createHash } from "node:crypto";
import { isBuiltin } from "node:module";
import type { FileFacts } from "./parse-file.js";

type Count = readonly [name: string, count: number];

/** What is told of an atlas. `digest` covers every fact of every file. */
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

/** The index of a tree. Files may come in any order: the same files always give the same summary. */
export class Atlas {
  /** By path: the hash of its facts. */
  readonly #files = new Map<string, string>();
  readonly #identifiers = new Map<string, number>();
  /** By package or `node:` module: how many files import it. */
  readonly #modules = new Map<string, number>();
  readonly #totals = { bytes: 0, parseErrors: 0, imports: 0, exports: 0 };

  get files(): number {
    return this.#files.size;
  }

  /** Does nothing when the atlas has this path: facts may be delivered more than once. */
  add(facts: FileFacts): void {
    if (this.#files.has(facts.path)) return;
    this.#files.set(facts.path, sha256(JSON.stringify(facts)));
    for (const [name, count] of facts.identifiers) increase(this.#identifiers, name, count);
    for (const name of new Set(facts.imports.map(moduleOf))) if (name !== undefined) increase(this.#modules, name, 1);
    this.#totals.bytes += facts.bytes;
    this.#totals.imports += facts.imports.length;
    this.#totals.exports += facts.exports.length;
    if (facts.error !== null) this.#totals.parseErrors++;
  }

  summarize(unreadable: number): AtlasSummary {
    const modules = [...this.#modules];
    return {
      files: this.files,
      ...this.#totals,
      unreadable,
      distinctIdentifiers: this.#identifiers.size,
      topPackages: top(modules.filter(([name]) => !name.startsWith("node:"))),
      topBuiltins: top(modules.filter(([name]) => name.startsWith("node:"))),
      topIdentifiers: top([...this.#identifiers]),
      digest: sha256(JSON.stringify([unreadable, ...[...this.#files].sort()])),
    };
  }
}

/** The package or `node:` module that a specifier names: undefined for relative paths, `#internal` names and URLs. */
export function moduleOf(specifier: string): string | undefined {
  if (isBuiltin(specifier)) return `node:${specifier.replace(/^node:/, "")}`;
  return /^(?:@[^/]+\/)?[^@./#:\\][^/:]*(?=\/|$)/.exec(specifier)?.[0];
}

/** The most frequent first; names decide between equals. */
function top(counts: Count[]): Count[] {
  return counts.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 10);
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
