/** What a node says of itself when it greets another. */
export interface Hello {
  readonly incarnation: string;
  /** `Date.now()` of its start: the later of two incarnations of one name is the one that runs. */
  readonly startedAt: number;
  /** Versions of the protocol that it speaks. */
  readonly oldest: number;
  readonly newest: number;
  /** What it takes. */
  readonly limits?: Limits | undefined;
}

/** What a node takes of another: no sender goes beyond the limits of either side. */
export interface Limits {
  /** In one message. */
  readonly messageBytes: number;
  /** Messages for one actor that it has not taken, and their bytes. */
  readonly windowMessages: number;
  readonly windowBytes: number;
}

/** Of frames, records and values. */
export const PROTOCOL = 1;

const MAX_HELLO_BYTES = 512;
const INCARNATION = /^[a-z0-9]{1,32}$/;

export function encodeHello({ incarnation, startedAt, oldest, newest, limits }: Hello): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ incarnation, startedAt, oldest, newest, limits }));
}

/** Undefined for what is none. Never throws. */
export function decodeHello(body: Uint8Array): Hello | undefined {
  if (body.length > MAX_HELLO_BYTES) return undefined;
  try {
    const hello = JSON.parse(new TextDecoder().decode(body)) as Partial<Hello>;
    const { incarnation, startedAt, oldest, newest, limits } = hello;
    const numbers = [startedAt, oldest, newest].every((number) => Number.isSafeInteger(number));
    if (!numbers || typeof incarnation !== "string" || !INCARNATION.test(incarnation)) return undefined;
    return { incarnation, startedAt, oldest, newest, limits: limitsIn(limits) } as Hello;
  } catch {
    return undefined;
  }
}

/** Undefined for what are none. */
function limitsIn(limits: Partial<Limits> | undefined): Limits | undefined {
  const { messageBytes, windowMessages, windowBytes } = limits ?? {};
  const isLimit = (limit: unknown): boolean => Number.isSafeInteger(limit) && (limit as number) > 0;
  if (![messageBytes, windowMessages, windowBytes].every(isLimit)) return undefined;
  return { messageBytes, windowMessages, windowBytes } as Limits;
}

/** What goes between two nodes. */
export function smaller(one: Limits, other: Limits = one): Limits {
  return {
    messageBytes: Math.min(one.messageBytes, other.messageBytes),
    windowMessages: Math.min(one.windowMessages, other.windowMessages),
    windowBytes: Math.min(one.windowBytes, other.windowBytes),
  };
}

/** Whether `one` is a later incarnation than `other`, of the same name. */
export function isLater(one: Hello, other: Hello): boolean {
  if (one.startedAt !== other.startedAt) return one.startedAt > other.startedAt;
  return one.incarnation > other.incarnation;
}

export function speaksWith(one: Hello, other: Hello): boolean {
  return one.oldest <= other.newest && other.oldest <= one.newest;
}
