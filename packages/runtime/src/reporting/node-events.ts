import type { EventFacts } from "./event-facts.js";

/** What `@mini-otp/cluster` tells by `system.on` and `system.events`, too. `id` is the root's. */
export interface NodeEvents {
  /** Another node is connected. Comes after `node_down` of its incarnation before. */
  node_up: EventFacts & { readonly event: "node_up"; readonly node: string };
  /** Comes after each DOWN that it causes. */
  node_down: EventFacts & {
    readonly event: "node_down";
    readonly node: string;
    readonly why: "left" | "gone" | "silent" | "restarted" | "reset" | "incompatible";
  };
  /** Nothing has come from the node for some heartbeats. */
  node_suspect: EventFacts & { readonly event: "node_suspect"; readonly node: string };
  /**
   * For a second a node has acknowledged less than this one has for it, so messages wait here. Told once, until there is
   * room again.
   */
  link_full: EventFacts & { readonly event: "link_full"; readonly node: string };
  /** What this node owned is its own no more. */
  lease_lost: EventFacts & { readonly event: "lease_lost"; readonly why: "expired" | "revoked" | "bucket" };
  lease_regained: EventFacts & { readonly event: "lease_regained" };
  /** The connection to the servers is lost. */
  engine_down: EventFacts & { readonly event: "engine_down" };
  engine_up: EventFacts & { readonly event: "engine_up" };
}

/** One of them without `id` and `at`. */
export type NodeEvent = { [E in keyof NodeEvents]: Omit<NodeEvents[E], keyof EventFacts> }[keyof NodeEvents];

export const NODE_EVENT_NAMES: readonly (keyof NodeEvents)[] = [
  "node_up",
  "node_down",
  "node_suspect",
  "link_full",
  "lease_lost",
  "lease_regained",
  "engine_down",
  "engine_up",
];
