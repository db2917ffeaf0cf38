import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./fault-plan.js";
import { parseSource } from "./syntax-tree.js";
import type { SourceFile } from "./walk-tree.js";

/** Does the damage to the calling actor. Never returns. */
export function strike(fault: Fault, root: string, batch: readonly SourceFile[]): never {
  if (fault === "throw") throw new Error("injected fault: thrown in the middle of a batch");
  if (fault === "exit") process.exit(3);
  return leak(root, batch);
}

/** Keeps the syntax tree of what it parses, and parses again and again until the heap cap ends it. */
function leak(root: string, batch: readonly SourceFile[]): never {
  const { path } = moderate(batch);
  const source = readFileSync(join(root, path), "utf8");
  const kept: unknown[] = [];
  for (;;) {
    try {
      kept.push(parseSource(path, source));
    } catch (error) {
      kept.push(error);
    }
  }
}

/** Trees of moderate size reach the cap in small steps: the largest file up to 32 KB, or the smallest of all. */
function moderate(batch: readonly SourceFile[]): SourceFile {
  const sorted = [...batch].sort((a, b) => a.bytes - b.bytes);
  return sorted.findLast(({ bytes }) => bytes <= 32_000) ?? (sorted[0] as SourceFile);
}
