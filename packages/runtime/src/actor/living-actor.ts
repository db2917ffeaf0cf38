import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import type { ActorTotals } from "../introspection/actor-totals.js";
import type { ActorTraces } from "../introspection/actor-traces.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { ThreadSource } from "../threads/thread-source.js";
import type { ActorPlace } from "./actor-place.js";

/** What an actor keeps over its incarnations. */
export interface LivingActor {
  readonly id: string;
  readonly ref: ActorRef;
  readonly spec: FullActorSpec;
  readonly place: ActorPlace;
  readonly threads: ThreadSource;
  readonly totals: ActorTotals;
  readonly traces: ActorTraces;
  /** Takes in what has been counted in shared memory. */
  readTotals(): void;
  /** Tells the incarnation that lives now. */
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}
