import { MAX_MEMBERS, ROUTES, type Route } from "./routing.js";
import { SLOT_HEADER_WORDS } from "./slot-descriptor.js";

/*
 * A router has a slot, as an actor has, so that a reference to it is an address that every thread can use at once. Its
 * mailbox stays closed. In the place of the ring, the slot has the list of the router's members:
 *
 *   word
 *   1024  route            index into ROUTES
 *   1056  turn             counts messages of all senders (a line of its own: every sender writes it)
 *   1088  version          how often the list was published; its lowest bit says which bank holds it
 *   1120  bank 0           count, then address and uid of each member
 *   3200  bank 1
 *
 * Only main writes the list: first into the bank that is not read, then the version. A reader that finds the same
 * version before and after has read a whole list, because its bank is written again only after the next version.
 */
const ROUTE = SLOT_HEADER_WORDS;
const TURN = SLOT_HEADER_WORDS + 32;
const VERSION = SLOT_HEADER_WORDS + 64;
const BANKS = SLOT_HEADER_WORDS + 96;
const MOST_LOOKS = 1000;
const BANK_WORDS = 32 + 2 * MAX_MEMBERS;

/** Bytes of the list, as the size of a mailbox: a power of two. */
export const ROUTER_TABLE_BYTES = 32 * 1024;

/** A member's slot. */
export interface MemberAddress {
  readonly address: number;
  readonly uid: number;
}

export function writeRoute(words: Int32Array, route: Route): void {
  words[ROUTE] = ROUTES.indexOf(route);
}

export function readRoute(words: Int32Array): Route {
  return ROUTES[words[ROUTE]];
}

/** Replaces the list. Main only. */
export function publishMembers(words: Int32Array, members: readonly MemberAddress[]): void {
  const version = (words[VERSION] + 1) | 0;
  let at = bankOf(version);
  words[at++] = members.length;
  for (const { address, uid } of members) {
    words[at++] = address;
    words[at++] = uid;
  }
  Atomics.store(words, VERSION, version);
}

export function membersVersion(words: Int32Array): number {
  return Atomics.load(words, VERSION);
}

/** Undefined when main published so often meanwhile that no read was of one version. Not for main. */
export function readMembers(
  words: Int32Array,
): { readonly version: number; readonly members: MemberAddress[] } | undefined {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const version = membersVersion(words);
    let at = bankOf(version);
    const members = Array.from({ length: words[at++] }, () => ({ address: words[at++], uid: words[at++] }));
    if (membersVersion(words) === version) return { version, members };
  }
  return undefined;
}

/** The number of this message, counted over the senders of all threads. */
export function takeTurn(words: Int32Array): number {
  return Atomics.add(words, TURN, 1);
}

function bankOf(version: number): number {
  return BANKS + (version & 1) * BANK_WORDS;
}
