export const RECORD = "16-byte record";
export const SMALL = "small object";
export const KILOBYTE = "1 KB object";
export const BYTES = "64 KB bytes";

export type PayloadName = typeof RECORD | typeof SMALL | typeof KILOBYTE | typeof BYTES;

/** Changes hands instead of being copied. */
export const TRANSFERRED = "16 MiB transferred";
const TRANSFERRED_BYTES = 16 * 1024 * 1024;

export function transferredBuffer(): ArrayBuffer {
  return new ArrayBuffer(TRANSFERRED_BYTES);
}

/** Throws unless `arrived` is the whole payload. */
export function whole(arrived: unknown): ArrayBuffer {
  if (arrived instanceof ArrayBuffer && arrived.byteLength === TRANSFERRED_BYTES) return arrived;
  throw new Error("it did not arrive whole");
}

/** Throws if `given` is still here, because then it was copied. */
export function gone(given: ArrayBuffer): void {
  if (given.byteLength !== 0) throw new Error("it was not transferred");
}

export interface SmallObject {
  id: number;
  name: string;
  ok: boolean;
  score: number;
}

export function smallObject(): SmallObject {
  return { id: 7, name: "hello world", ok: true, score: 1.5 };
}

/** An order as a web service would have it; its JSON is about 1 000 bytes. */
function kilobyteObject(): object {
  return {
    id: 184_467,
    customer: { name: "Joe Armstrong", email: "joe@example.org", city: "Stockholm", since: 1986 },
    paid: true,
    total: 1234.5,
    tags: ["express", "gift", "fragile", "insured"],
    lines: Array.from({ length: 8 }, (_, line) => ({
      sku: `SKU-${1000 + line}`,
      title: "A history of the telephone exchange",
      count: line + 1,
      price: 19.95,
    })),
    note: "Leave it with the neighbour at number twelve when nobody answers the door. ".repeat(2),
  };
}

export function createPayload(name: PayloadName): unknown {
  switch (name) {
    case RECORD:
      return new Uint8Array(16).fill(7);
    case SMALL:
      return smallObject();
    case KILOBYTE:
      return kilobyteObject();
    case BYTES:
      return new Uint8Array(64 * 1024).fill(7);
  }
}
