/*
 * How a router finds the member for a message: functions over numbers, with the same result in every thread.
 */

import { invalidOption } from "../errors/invalid-option.js";
import { showValue } from "../errors/show-value.js";

export const ROUTES = ["round_robin", "least_loaded", "consistent_hash"] as const;
export type Route = (typeof ROUTES)[number];

/** A key for `forKey`. A number and its digits are the same key. */
export type RouteKey = string | number | bigint;

export const MAX_MEMBERS = 1024;

/** Spreads consecutive member numbers over 32 bits: 2^32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b1;

/** A key as 32 bits: FNV-1a over its UTF-16 units, then mixed. Throws ERR_INVALID_OPTION for any other type. */
export function hashKey(key: RouteKey): number {
  if (typeof key !== "string" && typeof key !== "bigint" && !Number.isFinite(key)) {
    const allowed = "a string, a finite number or a bigint";
    const message = `forKey: key=${showValue(key)}, must be ${allowed}`;
    throw invalidOption(message, { function: "forKey", field: "key", value: key, allowed });
  }
  const text = String(key);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193);
  }
  return mix(hash);
}

/**
 * The member with the highest score for this key (rendezvous hashing). A member that joins takes its share from all
 * others, and no other key moves; the keys of one that leaves are spread over those that stay. -1 when no member is
 * available.
 *
 * @see https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
export function memberForKey(hash: number, members: number, available: (member: number) => boolean): number {
  let best = -1;
  let bestScore = -1;
  for (let member = 0; member < members; member++) {
    const score = mix(hash ^ Math.imul(member + 1, GOLDEN)) >>> 0;
    if (score > bestScore && available(member)) {
      best = member;
      bestScore = score;
    }
  }
  return best;
}

/** The first available member from `turn` on; -1 when there is none. */
export function memberInTurn(turn: number, members: number, available: (member: number) => boolean): number {
  for (let step = 0; step < members; step++) {
    const member = ((turn >>> 0) + step) % members;
    if (available(member)) return member;
  }
  return -1;
}

/** The available member with the least load; among equals the first from `turn` on, so that idle ones take turns. */
export function leastLoadedMember(
  turn: number,
  members: number,
  available: (member: number) => boolean,
  loadOf: (member: number) => number,
): number {
  let best = -1;
  let least = Infinity;
  for (let step = 0; step < members; step++) {
    const member = ((turn >>> 0) + step) % members;
    if (!available(member)) continue;
    const load = loadOf(member);
    if (load < least) {
      best = member;
      least = load;
    }
    if (least === 0) break;
  }
  return best;
}

/** The finaliser of murmur3: a change of any input bit changes half of the output bits. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
