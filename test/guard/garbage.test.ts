import { describe, expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { memoryActor } from "./memory-actor.js";

const CHURN_MS = ofPart(5_000, 5_000, 20_000);

describe("the guard", () => {
  test.concurrent.each([16, 64, 512])(
    "leaves an actor alone that keeps 80 % of its cap of %i MiB alive and makes garbage as fast as it can",
    { timeout: 120_000 },
    async (heapCapMb) => {
      const { actor, killed } = await memoryActor({ heapCapMb });
      expect(await actor.call("churn", heapCapMb * 0.8, CHURN_MS)).toBeGreaterThan(0);
      expect(killed).toEqual([]);
    },
  );
});
