import type { FileFacts } from "./parse-file.js";

/** A part of one file's facts, small enough for a message. Most files have one part. */
export interface FactSlice extends FileFacts {
  readonly part: number;
  readonly parts: number;
}

type Lists = { [K in "imports" | "exports" | "identifiers"]: FileFacts[K][number][] };

/** Bound of a name's size in a message: three bytes a UTF-16 unit, and what frames it. */
const bytesOf = (name: string): number => 3 * name.length + 16;

/** Upper bound of the facts' size in a message. */
export function sizeOfFacts({ path, error, imports, exports, identifiers }: FileFacts): number {
  let bytes = 64 + bytesOf(path) + bytesOf(error ?? "");
  for (const [specifier] of imports) bytes += bytesOf(specifier);
  for (const name of exports) bytes += bytesOf(name);
  for (const [name] of identifiers) bytes += bytesOf(name);
  return bytes;
}

/** Cuts facts into parts of about `limitBytes`. The same facts are always cut in the same places. */
export function sliceFacts(facts: FileFacts, limitBytes: number): FactSlice[] {
  if (sizeOfFacts(facts) <= limitBytes) return [{ ...facts, part: 0, parts: 1 }];
  const cuts: Lists[] = [];
  let size = Number.POSITIVE_INFINITY;
  const last = (bytes: number): Lists => {
    size += bytes;
    if (size > limitBytes) {
      cuts.push({ imports: [], exports: [], identifiers: [] });
      size = bytes;
    }
    return cuts[cuts.length - 1] as Lists;
  };
  for (const pair of facts.imports) last(bytesOf(pair[0])).imports.push(pair);
  for (const name of facts.exports) last(bytesOf(name)).exports.push(name);
  for (const pair of facts.identifiers) last(bytesOf(pair[0])).identifiers.push(pair);
  return cuts.map((lists, part) => ({ ...facts, ...lists, part, parts: cuts.length }));
}

/** Puts slices together again, in whatever order and however often they come. */
export class SliceAssembly {
  readonly #open = new Map<string, { parts: number; slices: Map<number, FactSlice> }>();

  /** The file's facts once this was the last missing part. */
  add(slice: FactSlice): FileFacts | undefined {
    const { part, parts, ...facts } = slice;
    if (parts === 1) return facts;
    let file = this.#open.get(slice.path);
    if (file?.parts !== parts) {
      file = { parts, slices: new Map() };
      this.#open.set(slice.path, file);
    }
    file.slices.set(part, slice);
    if (file.slices.size < parts) return undefined;
    this.#open.delete(slice.path);
    const ordered = [...file.slices.values()].sort((a, b) => a.part - b.part);
    return {
      ...facts,
      imports: ordered.flatMap(({ imports }) => imports),
      exports: ordered.flatMap(({ exports }) => exports),
      identifiers: ordered.flatMap(({ identifiers }) => identifiers),
    };
  }
}
