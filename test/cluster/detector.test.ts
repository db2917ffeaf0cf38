import { describe, expect, it } from "vitest";
import { type DetectorState, detectorStep, newDetector, verdictOn } from "#cluster/nodes/detector.js";

const OPTIONS = { heartbeatMs: 1000, goneAfterMs: 2000, downAfterMs: 8000 };

function heardAt(now: number): DetectorState {
  const detector = newDetector(OPTIONS, 0);
  detectorStep(detector, { type: "heard", node: "b" }, now);
  return detector;
}

describe("what is thought of a node", () => {
  it("27. silence is suspect after three heartbeats, and the node's end after downAfterMs", () => {
    const detector = heardAt(0);
    const verdicts = [0, 2999, 3000, 7999, 8000].map((now) => verdictOn(detector, "b", now));
    expect(verdicts).toEqual(["up", "up", "suspect", "suspect", "silent"]);
  });

  it("27. a node for which nothing listens is gone after goneAfterMs", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "unanswered", node: "b" }, 500);
    detectorStep(detector, { type: "unanswered", node: "b" }, 1500);
    expect([2499, 2500].map((now) => verdictOn(detector, "b", now))).toEqual(["up", "gone"]);
  });

  it("27. a heartbeat takes back what probes have said", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "unanswered", node: "b" }, 500);
    detectorStep(detector, { type: "heard", node: "b" }, 1000);
    expect(verdictOn(detector, "b", 2600)).toBe("up");
  });

  it("27. a node that was not heard because this one was away is not held to have been silent", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "engine", up: false }, 1000);
    expect(verdictOn(detector, "b", 8999)).toBe("suspect");
    detectorStep(detector, { type: "engine", up: true }, 8500);
    expect(verdictOn(detector, "b", 11_000)).toBe("up");
    expect(verdictOn(detector, "b", 18_500)).toBe("silent");
  });

  it("28. a node that was not heard because this one stood still is not held to have been silent", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "unanswered", node: "b" }, 500);
    // Its main was blocked; what has come meanwhile is read after this.
    detectorStep(detector, { type: "stood_still" }, 10_000);
    expect([10_000, 12_000].map((now) => verdictOn(detector, "b", now))).toEqual(["up", "up"]);
    expect(verdictOn(detector, "b", 20_000)).toBe("silent");
  });

  it("45. without the engine every node is down after downAfterMs", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "engine", up: false }, 1000);
    expect([8999, 9000].map((now) => verdictOn(detector, "b", now))).toEqual(["suspect", "silent"]);
  });

  it("probes that found no listener before the engine was lost say nothing after it", () => {
    const detector = heardAt(0);
    detectorStep(detector, { type: "unanswered", node: "b" }, 500);
    detectorStep(detector, { type: "engine", up: false }, 600);
    detectorStep(detector, { type: "engine", up: true }, 1000);
    expect(verdictOn(detector, "b", 2600)).not.toBe("gone");
  });
});
