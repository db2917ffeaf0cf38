import { describe, expect, test } from "vitest";
import { complaints, disturbances, observe } from "./fault-process.js";
import { FAULTS } from "./fault-table.js";

const TIMEOUT_MS = 90_000;

describe.sequential("a process survives an actor that", () => {
  for (const [fault, { stage, reason }] of Object.entries(FAULTS)) {
    test(`does ${fault} (${stage}: ${reason}), and the others do not notice`, { timeout: TIMEOUT_MS }, async () => {
      const seen = await observe(fault);
      expect([...complaints(seen), ...disturbances(seen)], JSON.stringify(seen)).toEqual([]);
    });
  }
});
