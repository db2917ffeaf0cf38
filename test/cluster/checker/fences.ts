/** A fencing token: of two the later one is the larger. */
export type Token = readonly [epoch: number, revision: number];

/** One write of a singleton's to a store that all its owners share, in the store's order. */
export interface FencedWrite {
  readonly owner: string;
  /** Which start of the singleton on its owner. */
  readonly start: string;
  readonly token: Token;
  /** The message that it has handled. */
  readonly message: string;
}

export interface FenceHistory {
  readonly writes: readonly FencedWrite[];
  /** Owners that stood still once: these may write with a token that is not the largest any more. */
  readonly stopped: ReadonlySet<string>;
  /** Messages whose call was answered. */
  readonly answered: readonly string[];
}

/** What must not be; empty when all is as promised. */
export function checkFences({ writes, stopped, answered }: FenceHistory): string[] {
  const violations: string[] = [];
  const startOf = new Map<string, string>();
  const handled = new Set<string>();
  let largest: FencedWrite | undefined;
  for (const write of writes) {
    const { owner, start, token, message } = write;
    const known = startOf.get(token.join("/"));
    if (known !== undefined && known !== start) {
      violations.push(`token ${token.join("/")} is ${known}'s and ${start}'s`);
    }
    startOf.set(token.join("/"), start);
    if (largest !== undefined && isLess(token, largest.token) && !stopped.has(owner)) {
      violations.push(`${start} writes with ${token.join("/")} after ${largest.start} with ${largest.token.join("/")}`);
    }
    if (largest === undefined || isLess(largest.token, token)) largest = write;
    if (handled.has(message)) violations.push(`${message} is handled twice`);
    handled.add(message);
  }
  for (const message of answered) {
    if (!handled.has(message)) violations.push(`${message} was answered and is not handled`);
  }
  return violations;
}

function isLess(one: Token, other: Token): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}
