import { randomBytes } from "node:crypto";
import type { Bucket } from "../engine/engine.js";
import { leaseKey } from "./lease.js";

const START_DIGITS = 9;
/** A start that is further off is no node's: it is what someone has written into the bucket. */
const MOST_AHEAD_MS = 24 * 3600 * 1000;

/** In the order of their starts, as texts too. */
export function newIncarnation(startedAt: number): string {
  return `${startedAt.toString(36).padStart(START_DIGITS, "0")}${randomBytes(4).toString("hex")}`;
}

/**
 * When a node starts, as its incarnations are ordered: after the former one of its name, which may have run on a machine whose
 * clock is ahead of this one's. The other nodes take the later of two for the one that runs.
 */
export async function startAfterFormer(bucket: Bucket, node: string): Promise<number> {
  const now = Date.now();
  const entry = await bucket.read(leaseKey(node)).catch(() => undefined);
  const { incarnation } = (entry?.value ?? {}) as { incarnation?: unknown };
  const former = typeof incarnation === "string" ? Number.parseInt(incarnation.slice(0, START_DIGITS), 36) : Number.NaN;
  return former >= now && former < now + MOST_AHEAD_MS ? former + 1 : now;
}
