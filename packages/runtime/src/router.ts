import {
  type ActorRef,
  type ExitReason,
  publishMembers,
  ROUTER_TABLE_BYTES,
  type Route,
  type RouterRef,
  type Sender,
  SLOT_HEADER_WORDS,
  writeRoute,
} from "@mini-otp/worker-host/protocol";
import type { ActorStats } from "./actor-stats.js";
import { Mailbox } from "./mailbox.js";
import { type RouterStats, type SupervisedRouter, SupervisedRouterRef } from "./router-ref.js";
import type { Slot, Slots } from "./slots.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "./supervision/child.js";
import type { FullActorSpec, FullRouterSpec } from "./supervision/child-spec.js";
import { checkSize } from "./supervision/normalise-spec.js";
import type { TreeEnvironment } from "./supervision/supervision-loop.js";
import { SupervisorProcess } from "./supervision/supervisor-process.js";
import type { SupervisorRef } from "./supervision/supervisor-ref.js";

/** What a router needs of its system. */
export interface RouterHost {
  readonly slots: Slots;
  readonly outbox: Sender & { disconnect(address: number): void };
  /** Throws ERR_NAME_TAKEN. */
  claimName(holder: RouterChild, name: string | undefined): void;
  releaseName(holder: RouterChild, name: string | undefined): void;
  /** Refuses new messages for this actor. True once it has handled all that it had accepted. */
  drained(ref: ActorRef): boolean;
  statsOf(ref: ActorRef): ActorStats | undefined;
  routerDisposed(router: RouterChild): void;
}

/** No actor has this uid. */
const NOBODY = Object.freeze({ address: 0, uid: 0 });
/** How often a member that is leaving is looked at. */
const RETIRE_CHECK_MS = 5;

/**
 * A router: a one_for_one supervisor of `size` actors, and the list of them in shared memory by which every thread
 * finds one.
 *
 * @see https://hexdocs.pm/elixir/PartitionSupervisor.html
 */
export class RouterChild implements Child<RouterRef>, SupervisedRouter {
  readonly type = "supervisor";
  readonly id: string;
  readonly ref: SupervisedRouterRef;
  readonly slot: Slot;
  readonly #spec: FullRouterSpec;
  readonly #member: Omit<FullActorSpec, "id">;
  readonly #host: RouterHost;
  readonly #process: SupervisorProcess;
  readonly #leaving = new Set<string>();
  #size: number;
  #resized: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(spec: FullRouterSpec, path: string, tree: TreeEnvironment, host: RouterHost, onExit: OnExit) {
    const { size, route, intensity, periodMs } = spec;
    this.id = path;
    this.#spec = spec;
    this.#member = memberSpec(spec);
    this.#host = host;
    this.#size = size;
    this.slot = routerSlot(host.slots, route);
    this.ref = new SupervisedRouterRef(this, host.outbox, this.slot);
    const router = this;
    const plan = {
      path,
      flags: {
        strategy: "one_for_one",
        intensity,
        periodMs,
        autoShutdown: "never",
        dynamic: false,
        maxChildren: Infinity,
      } as const,
      get children() {
        return router.#declared();
      },
      admit: (child: unknown) => child as FullActorSpec,
    };
    this.#process = new SupervisorProcess(plan, tree, onExit);
  }

  get size(): number {
    return this.#size;
  }

  get members(): SupervisorRef {
    return this.#process.ref;
  }

  async start(incarnation: number): Promise<StartOutcome<RouterRef>> {
    try {
      this.#host.claimName(this, this.#spec.name);
    } catch (error) {
      return { kind: "failed", reason: { kind: "init_failed", error } };
    }
    const outcome = await this.#process.start(incarnation);
    if (outcome.kind === "started") {
      this.#publish();
      return { kind: "started", ref: this.ref };
    }
    if (incarnation === 1) this.#host.releaseName(this, this.#spec.name);
    return outcome as StartOutcome<RouterRef>;
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    return this.#process.stop(request);
  }

  park(reason: ExitReason): void {
    this.#host.releaseName(this, this.#spec.name);
    this.#process.park(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#host.releaseName(this, this.#spec.name);
    this.#process.dispose();
    this.#host.outbox.disconnect(this.slot.address);
    this.#host.slots.release(this.slot);
    this.#host.routerDisposed(this);
  }

  stats(): RouterStats {
    const members = this.#ids(0, this.#size).map((id) => {
      const ref = this.members.child(id) as ActorRef | undefined;
      return ref === undefined ? undefined : this.#host.statsOf(ref);
    });
    return { size: this.#size, members };
  }

  async resize(size: number): Promise<void> {
    checkSize(this.id, size);
    const resized = this.#resized.then(() => this.#resizeTo(size));
    this.#resized = resized.catch(() => {});
    return resized;
  }

  async #resizeTo(size: number): Promise<void> {
    const before = this.#size;
    if (size > before) return this.#grow(this.#ids(before, size), size);
    this.#size = size;
    const leaving = this.#ids(size, before);
    for (const id of leaving) this.#leaving.add(id);
    // First nobody finds them any more, then they refuse what was on its way, which its sender takes elsewhere.
    this.#publish();
    await Promise.all(leaving.map((id) => this.#retire(id)));
  }

  async #grow(ids: readonly string[], size: number): Promise<void> {
    const starts = await Promise.allSettled(
      ids.map((id) => this.members.startChild({ ...this.#member, id } as FullActorSpec)),
    );
    const failed = starts.find((start) => start.status === "rejected");
    if (failed !== undefined) {
      const started = ids.filter((_, i) => starts[i].status === "fulfilled");
      for (const id of started) this.#leaving.add(id);
      await Promise.all(started.map((id) => this.#retire(id)));
      throw failed.reason;
    }
    this.#size = size;
    this.#publish();
  }

  /** The member is stopped when it has handled all it had accepted, in its next life if it crashes over it. */
  async #retire(id: string): Promise<void> {
    for (;;) {
      const ref = this.members.child(id) as ActorRef | undefined;
      if (ref === undefined || this.#disposed) break;
      try {
        if (this.#host.drained(ref)) {
          await this.members.terminateChild(id);
          if (this.members.child(id) !== undefined) await this.members.deleteChild(id);
          break;
        }
      } catch (error) {
        // The router itself is between two lives, and its members come back with it; or everything is stopping.
        if ((error as { code?: unknown }).code !== "ERR_NOPROC") throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETIRE_CHECK_MS));
    }
    this.#leaving.delete(id);
  }

  #publish(): void {
    // A temporary member that has ended keeps its number, so that no key of another's moves.
    const members = this.#ids(0, this.#size).map((id) => (this.members.child(id) as ActorRef | undefined) ?? NOBODY);
    publishMembers(this.slot.memory.words, members);
  }

  #declared(): FullActorSpec[] {
    return [...this.#ids(0, this.#size), ...this.#leaving].map((id) => ({ ...this.#member, id }));
  }

  #ids(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, i) => String(from + i));
  }
}

function memberSpec(spec: FullRouterSpec): Omit<FullActorSpec, "id"> {
  const { id, name, size, route, intensity, periodMs, memberRestart, memberBackoff, ...actor } = spec;
  return { ...actor, kind: "actor", restart: memberRestart, backoff: memberBackoff };
}

function routerSlot(slots: Slots, route: Route): Slot {
  const slot = slots.allocate({
    capacity: 1,
    mailboxBytes: ROUTER_TABLE_BYTES,
    systemBytes: 8,
    overflow: "reject",
    blockTimeoutMs: 0,
    maxDeliveries: 1,
  });
  const { words } = slot.memory;
  new Mailbox(words).close();
  // Whoever had this memory before has left something in it.
  words.fill(0, SLOT_HEADER_WORDS);
  writeRoute(words, route);
  publishMembers(words, []);
  return slot;
}
