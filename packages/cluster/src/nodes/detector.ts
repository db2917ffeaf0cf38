/*
 * Which nodes are there, as a function of what was heard and when: no clock, no connection. It never decides who owns
 * what; that is the leases'.
 */

export interface DetectorOptions {
  readonly heartbeatMs: number;
  /** Nothing listens for the node for so long: it is gone. */
  readonly goneAfterMs: number;
  /** Nothing has been heard of it for so long. */
  readonly downAfterMs: number;
}

/** What was lost while this node was not connected is not held against others for so long. */
const AFTER_RECONNECT_MS = 2000;
const SUSPECT_AFTER_HEARTBEATS = 3;

export type Verdict = "up" | "suspect" | "gone" | "silent";

interface Heard {
  at: number;
  /** Since when each probe has found no listener. */
  unansweredSince: number | undefined;
}

export interface DetectorState {
  readonly options: DetectorOptions;
  readonly heard: Map<string, Heard>;
  /** Since when this node is connected; undefined while it is not. */
  connectedAt: number | undefined;
  disconnectedAt: number;
}

export function newDetector(options: DetectorOptions, now: number): DetectorState {
  return { options, heard: new Map(), connectedAt: now, disconnectedAt: now };
}

export type DetectorEvent =
  | { readonly type: "heard"; readonly node: string }
  /** A probe has found no listener for this node. */
  | { readonly type: "unanswered"; readonly node: string }
  | { readonly type: "forget"; readonly node: string }
  | { readonly type: "engine"; readonly up: boolean }
  /** This node itself has stood still: what has come meanwhile is read after this. */
  | { readonly type: "stood_still" };

export function detectorStep(detector: DetectorState, event: DetectorEvent, now: number): void {
  switch (event.type) {
    case "heard":
      detector.heard.set(event.node, { at: now, unansweredSince: undefined });
      break;
    case "unanswered": {
      const heard = detector.heard.get(event.node);
      if (heard !== undefined) heard.unansweredSince ??= now;
      break;
    }
    case "forget":
      detector.heard.delete(event.node);
      break;
    case "engine":
      if (event.up) detector.connectedAt ??= now;
      else if (detector.connectedAt !== undefined) {
        detector.connectedAt = undefined;
        detector.disconnectedAt = now;
      }
      forgetProbes(detector);
      break;
    case "stood_still":
      if (detector.connectedAt === undefined) break;
      detector.connectedAt = now;
      detector.disconnectedAt = now;
      forgetProbes(detector);
      break;
  }
}

/** What was counted before says nothing of now. */
function forgetProbes(detector: DetectorState): void {
  for (const heard of detector.heard.values()) heard.unansweredSince = undefined;
}

/** What is to be thought of a node that has been heard of. */
export function verdictOn(detector: DetectorState, node: string, now: number): Verdict {
  const { options, connectedAt, disconnectedAt } = detector;
  const heard = detector.heard.get(node);
  if (heard === undefined) return "silent";
  if (connectedAt === undefined) return now - disconnectedAt >= options.downAfterMs ? "silent" : "suspect";
  const { at, unansweredSince } = heard;
  if (unansweredSince !== undefined && now - unansweredSince >= options.goneAfterMs) return "gone";
  // A connection that was there all along counts from what was heard last.
  const forgivenUntil = disconnectedAt > at ? connectedAt + AFTER_RECONNECT_MS : at;
  const silentMs = now - Math.max(at, forgivenUntil);
  if (silentMs >= options.downAfterMs) return "silent";
  return silentMs >= SUSPECT_AFTER_HEARTBEATS * options.heartbeatMs ? "suspect" : "up";
}
