import type { SourceFile } from "./walk-tree.js";

/** How much work goes into one message to a parser. */
export interface BatchLimits {
  readonly files: number;
  readonly bytes: number;
}

/** Few messages on a large tree; on a small one, small batches that still reach every parser. */
export function batchLimits(files: number, parsers: number): BatchLimits {
  const share = Math.ceil(files / (parsers * 8));
  return { files: Math.min(16, Math.max(1, share)), bytes: 256 * 1024 };
}

/** Groups files in order. A file over the limit in bytes is a batch of its own. */
export function* batchesOf(files: Iterable<SourceFile>, limits: BatchLimits): Generator<SourceFile[], void, undefined> {
  let batch: SourceFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const full = batch.length === limits.files || bytes + file.bytes > limits.bytes;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.bytes;
  }
  if (batch.length > 0) yield batch;
}
