import type { ActorRef, ActorSystem, PoolRef, SupervisorRef } from "@mini-otp/runtime";
import type Asker from "../../fixtures/asker.actor.js";

/** What one attempt has to itself: a supervisor, under which its subject is the child `t`. */
export interface Cell {
  readonly system: ActorSystem;
  readonly supervisor: SupervisorRef;
  readonly asker: ActorRef<typeof Asker>;
  readonly gate: Int32Array;
  /** What `t` is, as far as it is known. */
  readonly ref: any;
  /** What bringing it into its state has left open. */
  readonly open: Promise<unknown>[];
  readonly random: () => number;
}

export type Subject = ActorRef | PoolRef;

export const SUBJECT = new URL("../../fixtures/subject.actor.js", import.meta.url);
export const ASKER = new URL("../../fixtures/asker.actor.js", import.meta.url);
export const WORK = new URL("../../fixtures/gated-work.js", import.meta.url);

export function openGate(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not reached: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
