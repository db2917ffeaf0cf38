import { CREDIT, record, type WireRecord } from "./records.js";

/** So much is told soon, with what else has come to be told: a window is no smaller than four of them. */
const MESSAGES = 32;
const BYTES = 16 * 1024;
const SOON_MS = 1;
/** So much is told at once: a part of the window that a node has unless it says otherwise. */
const MESSAGES_AT_ONCE = 1024;
const BYTES_AT_ONCE = 128 * 1024;

/** For whom it is, and what has left this gateway and has not been told to the sender yet. */
export interface Credited {
  readonly target: number;
  readonly keyHash: number | undefined;
  messages: number;
  bytes: number;
}

/** Tells senders how much of their windows is free again. */
export class Credits {
  readonly #tell: (credit: WireRecord) => void;
  /** Those that are told soon. */
  readonly #due = new Set<Credited>();
  #timer: NodeJS.Timeout | undefined;

  /** `tell` sends it, or drops it when the session is over. */
  constructor(tell: (credit: WireRecord) => void) {
    this.#tell = tell;
  }

  /** One message with so many bytes has left this gateway. */
  taken(by: Credited, bytes: number): void {
    by.messages++;
    by.bytes += bytes;
    if (by.messages < MESSAGES && by.bytes < BYTES) return;
    if (by.messages >= MESSAGES_AT_ONCE || by.bytes >= BYTES_AT_ONCE) {
      this.#flush(by);
      return;
    }
    // A frame for each small portion would cost its sender a turn of the event loop.
    this.#due.add(by);
    this.#timer ??= setTimeout(this.#tellDue, SOON_MS).unref();
  }

  readonly #tellDue = (): void => {
    this.#timer = undefined;
    for (const credited of this.#due) this.#flush(credited);
    this.#due.clear();
  };

  #flush(credited: Credited): void {
    if (credited.messages > 0) this.#tell(creditOf(credited));
    credited.messages = credited.bytes = 0;
  }
}

export function creditOf({ target, keyHash, messages, bytes }: Credited): WireRecord {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, Math.min(bytes, 2 ** 32 - 1), true);
  return record(CREDIT, { target, keyHash, token: messages, payload });
}

/** Undefined for what is none. */
export function creditIn({ token, payload }: WireRecord): { messages: number; bytes: number } | undefined {
  if (payload.length !== 4) return undefined;
  const bytes = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true);
  return { messages: token, bytes };
}
