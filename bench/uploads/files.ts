import { gzipSync } from "node:zlib";
import type { Upload } from "./scanner.actor.js";

const names = Array.from({ length: 200 }, (_, i) => `name-${i}`);
const upload = (given: Partial<Upload>): Uint8Array =>
  gzipSync(JSON.stringify({ label: "aaaa", names, repeat: 20, ...given } satisfies Upload));

/** What almost everybody sends. */
export const GOOD = upload({});

/** One of each comes in the middle of the others. */
export const BAD = {
  "zip bomb": gzipSync(Buffer.alloc(1_000_000_000)),
  ReDoS: upload({ label: `${"a".repeat(60)}!` }),
  "out of memory": upload({ repeat: 2 ** 30 }),
} as const;
