import { BYTES, KILOBYTE, type PayloadName, RECORD, SMALL } from "../../payloads.js";

/**
 * How many messages may be under way. Without a bound memory grows with the round; these were the fastest of
 * 4 … 65 536 in powers of four, and as fast as no bound at all or faster.
 */
export const WINDOW: Record<PayloadName, number> = {
  [RECORD]: 4096,
  [SMALL]: 4096,
  [KILOBYTE]: 1024,
  [BYTES]: 64,
};
