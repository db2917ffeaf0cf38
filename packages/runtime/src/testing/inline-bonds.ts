import type { LoopState, OwnMessages } from "@mini-otp/worker-host/loop";
import { ActorError, type ExitReason, linkedReason, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { type ActorRef, checkedReference, type PoolRef } from "@mini-otp/worker-host/protocol/refs";
import type { Down } from "../signals/process-signals.js";
import { isInline } from "./inline-world.js";
import { latestTestSystem } from "./test-system.js";

/** The incarnation whose bonds these are. */
export interface BondedActor {
  readonly id: string;
  readonly ref: ActorRef;
  /** DOWN and EXIT wait here. */
  readonly own: OwnMessages;
  readonly loopState: LoopState;
  /** The bonds of the current incarnation of another actor on this thread. */
  bondsOf(ref: ActorRef | PoolRef): InlineBonds | undefined;
  exit(reason: ExitReason): void;
  /** A signal waits. */
  schedule(): void;
}

interface Watcher {
  readonly by: InlineBonds;
  readonly monitor: number;
}

/** The monitors and links of one incarnation of an inline actor, both ways. */
export class InlineBonds {
  trapsExits = false;
  readonly #actor: BondedActor;
  readonly #watchers = new Set<Watcher>();
  readonly #links = new Set<InlineBonds>();
  /** By number: takes one of its own monitors off. */
  readonly #monitors = new Map<number, () => void>();

  constructor(actor: BondedActor) {
    this.#actor = actor;
  }

  monitor(ref: ActorRef | PoolRef): number {
    checkedReference(ref, "ctx.monitor");
    const monitor = this.#actor.own.newMonitor();
    const target = this.#living(ref);
    if (target !== undefined) {
      const watcher = { by: this, monitor };
      target.#watchers.add(watcher);
      this.#monitors.set(monitor, () => target.#watchers.delete(watcher));
    } else if (isInline(ref) || latestTestSystem() === undefined) {
      this.signal({ type: "DOWN", monitor, id: ref.id, ref, reason: NOPROC });
    } else {
      const down = (of: Down<ActorRef | PoolRef>): void => this.signal({ ...of, type: "DOWN", monitor, ref });
      this.#monitors.set(monitor, latestTestSystem()?.monitor(ref, down) ?? (() => {}));
    }
    return monitor;
  }

  demonitor(monitor: number): void {
    this.#monitors.get(monitor)?.();
    this.#monitors.delete(monitor);
    this.#actor.own.demonitor(monitor);
  }

  link(ref: ActorRef | PoolRef): void {
    checkedReference(ref, "ctx.link");
    const target = this.#living(ref);
    if (target !== undefined) {
      target.#links.add(this);
      this.#links.add(target);
    } else if (!isInline(ref) && latestTestSystem() !== undefined) {
      throw inlineOnly(this.#actor.id, ref);
    } else if (this.trapsExits) {
      this.signal({ type: "EXIT", id: ref.id, ref, reason: NOPROC });
    } else {
      this.#actor.exit(NOPROC);
    }
  }

  unlink(ref: ActorRef | PoolRef): void {
    checkedReference(ref, "ctx.unlink");
    const target = this.#actor.bondsOf(ref);
    if (target === undefined) return;
    target.#links.delete(this);
    this.#links.delete(target);
  }

  signal(message: unknown): void {
    if (this.#actor.loopState.ended) return;
    this.#actor.own.signal([message]);
    this.#actor.schedule();
  }

  /** The incarnation is over: takes its own monitors off. */
  forget(): void {
    for (const demonitor of this.#monitors.values()) demonitor();
    this.#monitors.clear();
  }

  /** Sends DOWN to the actors that monitor the incarnation that is over, and exit signals to those linked to it. */
  tell(reason: ExitReason): void {
    const { id, ref } = this.#actor;
    for (const { by, monitor } of this.#watchers) {
      by.#monitors.delete(monitor);
      by.signal({ type: "DOWN", monitor, id, ref, reason });
    }
    this.#watchers.clear();
    for (const partner of this.#links) {
      partner.#links.delete(this);
      if (partner.trapsExits) partner.signal({ type: "EXIT", id, ref, reason });
      else if (reason.kind !== "normal") partner.#actor.exit(linkedReason(id, reason));
    }
    this.#links.clear();
  }

  #living(ref: ActorRef | PoolRef): InlineBonds | undefined {
    const bonds = this.#actor.bondsOf(ref);
    return bonds === undefined || bonds.#actor.loopState.ended ? undefined : bonds;
  }
}

/** Main has no process of a system that a link could lead to. */
function inlineOnly(id: string, ref: ActorRef | PoolRef): ActorError {
  const message = `id=${id} ctx.link: an inline actor is linked to inline actors only, and ${ref.id} is a system's; monitor it`;
  return new ActorError("ERR_WRONG_THREAD", message, { id });
}
