import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type BatchLimits, batchesOf, batchLimits } from "./batches.js";
import { SOURCE_LIMIT } from "./read-facts.js";
import { type SourceFile, walkTree } from "./walk-tree.js";

/** What a first look at the tree says about the work ahead. */
export interface Survey {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  readonly limits: BatchLimits;
  /** Heap that parsing the most demanding file takes, at most. */
  readonly parserHeapMb: number;
}

/** Reads every file once, so that all runs after it find the tree in the page cache. */
export function surveyTree(root: string, parsers: number, onFile: (bytes: number) => void): Survey {
  const files: SourceFile[] = [];
  let bytes = 0;
  let parserHeapMb = 0;
  for (const file of walkTree(root, { unreadable: 0 })) {
    touch(join(root, file.path));
    files.push(file);
    bytes += file.bytes;
    parserHeapMb = Math.max(parserHeapMb, heapMbFor(file));
    onFile(file.bytes);
  }
  const limits = batchLimits(files.length, parsers);
  const batches = [...batchesOf(files, limits)].length;
  return { files: files.length, bytes, batches, limits, parserHeapMb };
}

export function defaultParsers(): number {
  return availableParallelism();
}

/**
 * MiB of heap for one file's syntax tree. Measured as the smallest cap under which a worker gets through, in MiB per
 * MB of source: lib.dom.d.ts (2.3 MB) 17, typescript.js (9.1 MB) 30, vite's bundle (1.4 MB) 45, and of minified files
 * plotly (4.6 MB) 82, echarts (1.0 MB) 96.
 */
export function heapMbFor({ path, bytes }: SourceFile): number {
  const mbPerMb = /\.d\.[cm]?ts$/.test(path) ? 24 : 100;
  return bytes > SOURCE_LIMIT ? 0 : Math.ceil((mbPerMb * bytes) / 1e6);
}

function touch(path: string): void {
  try {
    readFileSync(path);
  } catch {
    // The index will say so.
  }
}
