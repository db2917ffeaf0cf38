import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type BatchLimits, batchesOf, batchLimits } from "./batches.js";
import { readFacts, SOURCE_LIMIT } from "./read-facts.js";
import { type SourceFile, walkTree } from "./walk-tree.js";

/** What a first look at the tree says about the work ahead. */
export interface Survey {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  readonly limits: BatchLimits;
  /** What a parser needs for the largest file, with what it needs anyway. */
  readonly parserHeapMb: number;
  readonly parserOffHeapMb: number;
}

/**
 * So much is parsed before any run is timed: V8 compiles the parser's WebAssembly once for the whole process, 2.6 s of
 * CPU time, which the first run would pay for all.
 */
const WARM_UP_BYTES = 6e6;

/**
 * Reads every file once, and parses some of them, so that all runs after it find the tree in the page cache and the
 * parser compiled.
 */
export function surveyTree(root: string, parsers: number, onFile: (bytes: number) => void): Survey {
  const files: SourceFile[] = [];
  let bytes = 0;
  let largest = 0;
  for (const file of walkTree(root, { unreadable: 0 })) {
    touch(join(root, file.path));
    files.push(file);
    bytes += file.bytes;
    if (file.bytes <= SOURCE_LIMIT) largest = Math.max(largest, file.bytes);
    onFile(file.bytes);
  }
  warmUp(root, files, bytes);
  const limits = batchLimits(files.length, parsers);
  const batches = [...batchesOf(files, limits)].length;
  return { files: files.length, bytes, batches, limits, ...memoryFor(largest) };
}

export function defaultParsers(): number {
  return availableParallelism();
}

/**
 * MiB for a parser that meets a file of so many bytes. On the heap there are the text, up to two bytes a byte, and the
 * names: typescript.js (8.9 MB) gets through under a cap of 32. Outside it there is the syntax tree: wasm memory is
 * 32 MiB from the start, never shrinks and is used again; typescript.js took it to 200 MiB, 20 bytes for each of its
 * own, like playwright-core's bundle. Text that makes no sense takes up to 1 300 bytes for each of its first 60 000.
 */
export function memoryFor(largestBytes: number): Pick<Survey, "parserHeapMb" | "parserOffHeapMb"> {
  const largestMb = largestBytes / 1e6;
  return { parserHeapMb: Math.ceil(32 + 8 * largestMb), parserOffHeapMb: Math.ceil(256 + 64 * largestMb) };
}

/** Evenly from the whole tree: each kind of source has a grammar of its own. */
function warmUp(root: string, files: readonly SourceFile[], bytes: number): void {
  const every = Math.max(1, Math.ceil(bytes / WARM_UP_BYTES));
  for (let i = 0; i < files.length; i += every) readFacts(root, files[i] as SourceFile);
}

function touch(path: string): void {
  try {
    readFileSync(path);
  } catch {
    // The index will say so.
  }
}
