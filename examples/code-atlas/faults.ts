import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./fault-plan.js";
import type { SourceFile } from "./walk-tree.js";

/** Does the damage to the calling actor. Never returns. */
export function strike(fault: Fault, root: string, batch: readonly SourceFile[]): never {
  if (fault === "throw") throw new Error("injected fault: thrown in the middle of a batch");
  if (fault === "exit") process.exit(3);
  return leak(root, batch);
}

/** Reads the batch again and again and keeps a table for each reading, until the heap cap ends it. */
function leak(root: string, batch: readonly SourceFile[]): never {
  const { path } = smallest(batch);
  const kept: unknown[] = [];
  for (;;) {
    const { length } = readFileSync(join(root, path));
    kept.push(Array.from({ length: 4_096 }, (_, line) => ({ path, length, line })));
  }
}

function smallest(batch: readonly SourceFile[]): SourceFile {
  return batch.reduce((least, file) => (file.bytes < least.bytes ? file : least));
}
