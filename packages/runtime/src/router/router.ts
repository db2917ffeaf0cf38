import { ActorError, type ExitReason, isActorError } from "@mini-otp/worker-host/protocol/errors";
import {
  type NameTable,
  publishMembers,
  ROUTER_TABLE_BYTES,
  type Route,
  SLOT_HEADER_WORDS,
  setCallTimeout,
  writeRoute,
} from "@mini-otp/worker-host/protocol/memory";
import {
  type ActorRef,
  type MemberResult,
  noproc,
  type RouterRef,
  type Sender,
} from "@mini-otp/worker-host/protocol/refs";
import type { ActorChild } from "../actor/actor-child.js";
import { Mailbox } from "../mailbox/mailbox.js";
import type { Slot, Slots } from "../mailbox/slots.js";
import type { Process } from "../signals/process-signals.js";
import type { RouterStats } from "../stats/router-stats.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { ActorSpec, FullActorSpec, FullRouterSpec } from "../supervision/child-spec.js";
import { checkSize } from "../supervision/normalise-spec.js";
import { type SupervisedRouter, SupervisedRouterRef } from "../supervision/router-ref.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { SupervisorProcess } from "../supervision/supervisor-process.js";
import type { SupervisorRef } from "../supervision/supervisor-ref.js";
import { routerStatsOf } from "./router-stats.js";

/** What a router needs of its system. */
export interface RouterHost {
  readonly slots: Slots;
  readonly callTimeoutMs: number;
  readonly outbox: Sender & { disconnect(address: number): void };
  /** Throws ERR_NAME_TAKEN. */
  claimName(holder: RouterChild, name: string | undefined): void;
  releaseName(holder: RouterChild, name: string | undefined): void;
  readonly names: NameTable;
  find(ref: ActorRef): ActorChild | undefined;
  /** For monitors and links, the router runs from now on. No exit signal ends it. */
  lifeStarted(router: RouterChild): void;
  /** For monitors and links, the router has ended. Returns a function that tells its watchers. */
  lifeEnded(router: RouterChild, reason: ExitReason): () => void;
  routerDisposed(router: RouterChild): void;
}

/** No actor has this uid. */
const NO_MEMBER = Object.freeze({ address: 0, uid: 0 });
/** How often main checks whether a member that leaves has handled all it had accepted. */
const RETIRE_CHECK_MS = 5;

/**
 * A router: a one_for_one supervisor of `size` actors, and a list of them in shared memory, in which every thread looks
 * up the member for a message.
 *
 * @see https://hexdocs.pm/elixir/PartitionSupervisor.html
 */
export class RouterChild implements Child<RouterRef>, SupervisedRouter, Process {
  readonly type = "supervisor";
  readonly id: string;
  readonly ref: SupervisedRouterRef;
  readonly slot: Slot;
  readonly #spec: FullRouterSpec;
  /** The spec of a member; after an upgrade with the new module. */
  #member: Omit<FullActorSpec, "id">;
  readonly #host: RouterHost;
  readonly #tree: TreeEnvironment;
  readonly #process: SupervisorProcess;
  readonly #leaving = new Set<string>();
  #size: number;
  /** Settles when the last resize or upgrade is done, because they run one after the other. */
  #changed: Promise<unknown> = Promise.resolve();
  #incarnation = 0;
  /** Whether the router runs for monitors and links; true also while its members are started. */
  #isAlive = false;
  #running = false;
  /** It has ended and stays down for now, or for good: no member comes back by itself. */
  #parked = false;
  #disposed = false;

  constructor(spec: FullRouterSpec, path: string, tree: TreeEnvironment, host: RouterHost, onExit: OnExit) {
    const { size, route, intensity, periodMs } = spec;
    this.id = path;
    this.#spec = spec;
    this.#member = memberSpec(spec);
    this.#host = host;
    this.#tree = tree;
    this.#size = size;
    this.slot = routerSlot(host.slots, route);
    setCallTimeout(this.slot.memory.words, spec.callTimeoutMs ?? host.callTimeoutMs);
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
    this.#process = new SupervisorProcess(plan, tree, (reason) => {
      const tellWatchers = this.#ended(reason);
      onExit(reason);
      tellWatchers();
    });
  }

  get size(): number {
    return this.#size;
  }

  get members(): SupervisorRef {
    return this.#process.ref;
  }

  /** The members that exist, in order. */
  get actors(): ActorChild[] {
    return this.#actors().filter((actor) => actor !== undefined);
  }

  async start(incarnation: number): Promise<StartOutcome<RouterRef>> {
    this.#incarnation = incarnation;
    this.#parked = false;
    try {
      this.#host.claimName(this, this.#spec.name);
    } catch (error) {
      return { kind: "failed", reason: { kind: "init_failed", error } };
    }
    this.#isAlive = true;
    this.#host.lifeStarted(this);
    const outcome = await this.#process.start(incarnation);
    if (outcome.kind === "started") {
      this.#running = this.#isAlive;
      this.#publish();
      return { kind: "started", ref: this.ref };
    }
    if (incarnation === 1) this.#host.releaseName(this, this.#spec.name);
    if (outcome.kind === "failed") this.#ended(outcome.reason)();
    return outcome as StartOutcome<RouterRef>;
  }

  async stop(request: StopRequest): Promise<StopOutcome> {
    const outcome = await this.#process.stop(request);
    this.#ended(outcome.reason)();
    return outcome;
  }

  /** Ignores exit signals, as a supervisor does that traps exits. */
  info(): void {}

  /** Does nothing, because exit signals go to the members. */
  kill(): void {}

  park(reason: ExitReason): void {
    this.#parked = true;
    this.#host.releaseName(this, this.#spec.name);
    this.#process.park(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = this.#parked = true;
    this.#host.releaseName(this, this.#spec.name);
    this.#process.dispose();
    this.#host.outbox.disconnect(this.slot.address);
    this.#host.slots.release(this.slot);
    this.#host.routerDisposed(this);
  }

  stats(): RouterStats {
    const facts = { running: this.#running, incarnation: this.#incarnation, members: this.#actors() };
    return routerStatsOf(facts, this.#host.names);
  }

  /**
   * Upgrades one member after the other. When the first upgrade fails nothing has changed, and this rejects. After the
   * first has succeeded, new members get the new module, and the result has the outcome of each member.
   */
  upgrade(module: URL | string, timeoutMs: number | undefined): Promise<MemberResult<void>[]> {
    return this.#change(async () => {
      const results: MemberResult<void>[] = [];
      for (const actor of this.actors) {
        const { id } = actor;
        try {
          await actor.upgrade(module, timeoutMs);
          results.push({ id, status: "fulfilled", value: undefined });
          this.#member = { ...this.#member, actor: module };
        } catch (reason) {
          if (results.length === 0) throw reason;
          results.push({ id, status: "rejected", reason });
        }
      }
      if (results.length === 0) throw noproc(this, "upgrade");
      return results;
    });
  }

  async resize(size: number): Promise<void> {
    checkSize(this.id, size);
    return this.#change(() => this.#resizeTo(size));
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changed.then(change);
    this.#changed = changed.catch(() => {});
    return changed;
  }

  async #resizeTo(size: number): Promise<void> {
    if (!this.#isAlive) throw this.#tree.isStopping() ? systemStopped(this, "resize") : noproc(this, "resize");
    const before = this.#size;
    if (size > before) return this.#grow(this.#ids(before, size), size);
    this.#size = size;
    const leaving = this.#ids(size, before);
    for (const id of leaving) this.#leaving.add(id);
    // First senders stop finding these members. Then the members refuse messages that were on the way, and the senders
    // route those again.
    this.#publish();
    await Promise.all(leaving.map((id) => this.#retire(id)));
  }

  async #grow(ids: readonly string[], size: number): Promise<void> {
    const starts = await Promise.allSettled(
      ids.map((id) => this.members.startChild({ ...this.#member, id } as ActorSpec)),
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

  /**
   * Stops a member once it has handled all messages that it had accepted, even if it crashes meanwhile and is
   * restarted.
   */
  async #retire(id: string): Promise<void> {
    for (;;) {
      const ref = this.members.child(id) as ActorRef | undefined;
      // A router that was stopped has stopped its members, and does not start a member that leaves.
      if (ref === undefined || this.#parked) break;
      try {
        // From now on it refuses new messages.
        if (this.#host.find(ref)?.drained !== false) {
          await this.members.terminateChild(id);
          if (this.members.child(id) !== undefined) await this.members.deleteChild(id);
          break;
        }
      } catch (error) {
        // The router itself is being restarted, or has been restarted meanwhile, and its members come back with it.
        if (isActorError(error, "ERR_SYSTEM_STOPPED")) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETIRE_CHECK_MS));
    }
    this.#leaving.delete(id);
  }

  #ended(reason: ExitReason): () => void {
    if (!this.#isAlive) return () => {};
    this.#isAlive = this.#running = false;
    return this.#host.lifeEnded(this, reason);
  }

  #actors(): (ActorChild | undefined)[] {
    return this.#ids(0, this.#size).map((id) => {
      const ref = this.members.child(id) as ActorRef | undefined;
      return ref === undefined ? undefined : this.#host.find(ref);
    });
  }

  #publish(): void {
    // A temporary member that has ended keeps its number, so that the keys of the other members do not move.
    const members = this.#ids(0, this.#size).map((id) => (this.members.child(id) as ActorRef | undefined) ?? NO_MEMBER);
    publishMembers(this.slot.memory.words, members);
  }

  #declared(): FullActorSpec[] {
    return [...this.#ids(0, this.#size), ...this.#leaving].map((id) => ({ ...this.#member, id }));
  }

  #ids(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, i) => String(from + i));
  }
}

function systemStopped({ id }: RouterChild, what: string): ActorError {
  return new ActorError("ERR_SYSTEM_STOPPED", `id=${id} ${what}: the system is stopping or has stopped`, { id });
}

function memberSpec(spec: FullRouterSpec): Omit<FullActorSpec, "id"> {
  const { id, name, size, route, intensity, periodMs, memberRestart, memberBackoff, ...actor } = spec;
  return { ...actor, kind: "actor", restart: memberRestart, backoff: memberBackoff, router: name };
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
  // The former user of this memory may have left data in it.
  words.fill(0, SLOT_HEADER_WORDS);
  writeRoute(words, route);
  publishMembers(words, []);
  return slot;
}
