/** What a node says of itself when it greets another. */
export interface Hello {
  readonly incarnation: string;
  /** `Date.now()` of its start: the later of two incarnations of one name is the one that runs. */
  readonly startedAt: number;
  /** Versions of the protocol that it speaks. */
  readonly oldest: number;
  readonly newest: number;
}

/** Of frames, records and values. */
export const PROTOCOL = 1;

const MAX_HELLO_BYTES = 512;
const INCARNATION = /^[a-z0-9]{1,32}$/;

export function encodeHello({ incarnation, startedAt, oldest, newest }: Hello): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ incarnation, startedAt, oldest, newest }));
}

/** Undefined for what is none. Never throws. */
export function decodeHello(body: Uint8Array): Hello | undefined {
  if (body.length > MAX_HELLO_BYTES) return undefined;
  try {
    const { incarnation, startedAt, oldest, newest } = JSON.parse(new TextDecoder().decode(body)) as Partial<Hello>;
    const numbers = [startedAt, oldest, newest].every((number) => Number.isSafeInteger(number));
    if (!numbers || typeof incarnation !== "string" || !INCARNATION.test(incarnation)) return undefined;
    return { incarnation, startedAt, oldest, newest } as Hello;
  } catch {
    return undefined;
  }
}

/** Whether `one` is a later incarnation than `other`, of the same name. */
export function isLater(one: Hello, other: Hello): boolean {
  if (one.startedAt !== other.startedAt) return one.startedAt > other.startedAt;
  return one.incarnation > other.incarnation;
}

export function speaksWith(one: Hello, other: Hello): boolean {
  return one.oldest <= other.newest && other.oldest <= one.newest;
}
