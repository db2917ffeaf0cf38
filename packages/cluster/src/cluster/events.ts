import { callSafely, NODE_EVENT_NAMES } from "@mini-otp/runtime/guests";
import { field, takeArgument } from "@mini-otp/runtime/options";
import type { LinkEnd } from "../link/link.js";

/** A node as this one sees it. */
export interface NodeInfo {
  readonly node: string;
  readonly incarnation: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When it started, `Date.now()` of its own. */
  readonly since: number;
  readonly state: "up" | "suspect" | "leaving";
  /** How late its main was for its last heartbeat. */
  readonly mainLagMs: number;
  /** How long a frame took there and back when it was last asked, once a second; undefined before the first answer. */
  readonly rttMs: number | undefined;
}

/** What `cluster.on` tells, by the names of the events. */
export interface ClusterEvents {
  /** Comes after `node_down` of the incarnation before. */
  node_up: { readonly node: string };
  /** Comes after each DOWN that it causes. */
  node_down: { readonly node: string; readonly why: LinkEnd };
  node_suspect: { readonly node: string };
  /** For a second it has acknowledged less than this node has for it: messages wait here. Told once, until there is room again. */
  link_full: { readonly node: string };
  /**
   * What this node owned, names among it, is its own no more: its lease was not renewed for `holdMs`, another node has revoked
   * it, or the bucket is gone, made anew or behind what this node has seen.
   */
  lease_lost: { readonly why: "expired" | "revoked" | "bucket" };
  lease_regained: Record<never, never>;
  engine_down: Record<never, never>;
  engine_up: Record<never, never>;
}

const anEvent = field(NODE_EVENT_NAMES.map((name) => JSON.stringify(name)).join(", "), (value) =>
  (NODE_EVENT_NAMES as readonly unknown[]).includes(value),
);
const aListener = field("a function", (value) => typeof value === "function");

/** The listeners of a cluster's events. */
export class ClusterListeners {
  readonly #listeners = new Map<string, Set<(event: any) => unknown>>();
  readonly #failed: (event: string, error: unknown) => void;

  /** `failed` is told of what a listener has thrown. */
  constructor(failed: (event: string, error: unknown) => void) {
    this.#failed = failed;
  }

  on<E extends keyof ClusterEvents>(event: E, listener: (event: ClusterEvents[E]) => void): () => void {
    takeArgument("on", "event", event, anEvent);
    takeArgument("on", "listener", listener, aListener);
    // Of its own: one that is given twice is called twice.
    const own = (facts: ClusterEvents[E]): unknown => listener(facts);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(own));
    return () => void listeners.delete(own);
  }

  emit<E extends keyof ClusterEvents>(event: E, facts: ClusterEvents[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      callSafely(
        () => listener(facts),
        (error) => this.#failed(event, error),
      );
    }
  }
}
