import type { Row } from "./wire.js";

const RECENT_MS = 60_000;
const LONG_MS = 5000;
const SILENT_MS = 1000;
export const MAILBOX_HIGH = 0.8;
export const HEAP_HIGH = 0.9;

/** Whether the row needs attention. */
export function isTrouble(row: Row, now: number): boolean {
  if (row.state !== "running") return true;
  if (hasCrashedSince(row, now - RECENT_MS)) return true;
  const { actor } = row;
  if (actor === undefined) return false;
  const { mailbox, heapMb, heapCapMb, handling, silentMs } = actor;
  return (
    mailbox.length >= mailbox.capacity * MAILBOX_HIGH ||
    heapMb >= heapCapMb * HEAP_HIGH ||
    silentMs >= SILENT_MS ||
    (handling !== null && now - handling.since >= LONG_MS)
  );
}

export function hasCrashedSince({ lastExit }: Row, at: number): boolean {
  return lastExit?.failed === true && lastExit.at >= at;
}
