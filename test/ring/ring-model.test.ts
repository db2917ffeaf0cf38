import { describe, expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { BROKEN_CASES, brokenScenario, CASES } from "./model/cases.js";
import { RingModel } from "./model/ring-model.js";
import { formatTrace, search } from "./model/search.js";

// A model of the ring's protocol, searched whole: model/ says what it is made of.
describe("the protocol of the ring", () => {
  for (const { claim, scenario, options } of CASES.filter(({ isSlow }) => ofPart(true, isSlow !== true, true))) {
    test(claim, { timeout: 60_000 }, () => {
      const verdict = search(new RingModel(scenario), options);
      expect(verdict.violation, formatTrace(verdict)).toBeUndefined();
    });
  }
});

describe("a broken protocol is found out", () => {
  for (const broken of BROKEN_CASES) {
    test(broken.claim, () => {
      const verdict = search(new RingModel(brokenScenario(broken)));
      expect(verdict.violation, formatTrace(verdict)).toBe(broken.finds);
      expect(verdict.trace.length).toBeGreaterThan(5);
    });
  }
});
