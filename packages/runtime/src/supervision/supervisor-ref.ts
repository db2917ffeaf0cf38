import { ActorError, type ActorErrorCode } from "@mini-otp/worker-host/protocol/errors";
import { takeArgument, text } from "@mini-otp/worker-host/protocol/options";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import {
  type AdministrationCall,
  type ChildCounts,
  type ChildInfo,
  childStatus,
  countChildren,
  type RecentRestarts,
  refusal,
  type SupervisorInfo,
} from "./administration.js";
import type { ChildSlot } from "./child-slot.js";
import type {
  ActorOf,
  ActorSpec,
  ChildSpec,
  DynamicSupervisorSpec,
  FullChildSpec,
  PoolSpec,
  RequiredArgs,
  ResourceSpec,
  RouterSpec,
  SupervisorSpec,
} from "./child-spec.js";
import type { SupervisedPoolRef } from "./pool-ref.js";
import type { SupervisedRouterRef } from "./router-ref.js";
import type { SupervisionLoop } from "./supervision-loop.js";
import { declaredChild, newChild, type SupervisorState } from "./supervisor-state.js";
import type { SupervisorEvent } from "./supervisor-step.js";

/**
 * Administers a supervisor. Valid over restarts. Methods that change something reject with ERR_NOPROC while the
 * supervisor itself does not run, and with ERR_SYSTEM_STOPPED once the whole tree is stopping. No method waits for
 * another child, or for one that keeps failing to restart.
 */
export interface SupervisorRef {
  /** Path from the root. */
  readonly id: string;

  readonly flags: SupervisorInfo;

  /**
   * Adds a child and starts it. Resolves to its reference once it has started, or when its `init` has returned
   * `ignore()`. Rejects with ERR_INVALID_CHILD_SPEC, ERR_ALREADY_STARTED, ERR_ALREADY_PRESENT, ERR_MAX_CHILDREN, and
   * with ERR_INIT_FAILED, ERR_INIT_TIMEOUT, ERR_ACTOR_MODULE or ERR_NAME_TAKEN when the start failed: then the spec is
   * not kept.
   */
  startChild(spec: SupervisorSpec): Promise<SupervisorRef>;
  startChild(spec: DynamicSupervisorSpec): Promise<DynamicSupervisorRef>;
  startChild<T>(spec: ResourceSpec<T>): Promise<T>;
  startChild<F extends (task: any) => unknown>(spec: PoolSpec<F>): Promise<SupervisedPoolRef<F>>;
  startChild<A = any>(spec: RouterSpec<A>): Promise<SupervisedRouterRef<A>>;
  startChild<A = any>(spec: ActorSpec<A> & RequiredArgs<A>): Promise<ActorRef<A>>;
  startChild<S extends ActorSpec<any>>(spec: S): Promise<ActorRef<ActorOf<S>>>;
  startChild(spec: ChildSpec): Promise<any>;

  /**
   * Stops a child, or ends the attempts to restart it, and keeps its spec unless it is temporary. Resolves when it has
   * ended, and at once if it does not run. Rejects with ERR_NOT_FOUND.
   */
  terminateChild(id: string): Promise<void>;

  /**
   * Starts a child that is stopped; resolves to its reference. Rejects with ERR_NOT_FOUND, ERR_RUNNING,
   * ERR_RESTARTING, or as `startChild` when the start failed: then the spec is kept.
   */
  restartChild(id: string): Promise<any>;

  /** Deletes the spec of a child that is stopped. Rejects with ERR_NOT_FOUND, ERR_RUNNING, ERR_RESTARTING. */
  deleteChild(id: string): Promise<void>;

  /** Every child, in reverse start order. */
  whichChildren(): ChildInfo[];

  countChildren(): ChildCounts;

  /**
   * How many restarts count against its intensity now: those within `periodMs`. With more than `intensity` it gives up.
   */
  recentRestarts(): RecentRestarts;

  /** The reference of the child with this id, running or not. */
  child(id: string): any;
}

/** A dynamic supervisor, whose template completes the specs that are given to `startChild`. */
export interface DynamicSupervisorRef extends Omit<SupervisorRef, "startChild"> {
  startChild<T>(spec: ResourceSpec<T>): Promise<T>;
  startChild<F extends (task: any) => unknown>(spec: PoolSpec<F>): Promise<SupervisedPoolRef<F>>;
  startChild<A = any>(spec: RouterSpec<A>): Promise<SupervisedRouterRef<A>>;
  startChild<A = any>(spec: Partial<ActorSpec<A>>): Promise<ActorRef<A>>;
  startChild(spec: ChildSpec): Promise<any>;
}

export function createSupervisorRef(
  loop: SupervisionLoop,
  admit: (spec: ChildSpec, state: SupervisorState) => FullChildSpec,
): SupervisorRef {
  const administer = <T>(call: () => T | Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      loop.run(() => {
        try {
          const runs = loop.state.phase === "starting" || loop.state.phase === "running";
          if (!runs || loop.environment.isStopping()) throw loop.notRunning();
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
    });
  const onChild = <T>(call: AdministrationCall, id: string, then: (slot: ChildSlot) => T | Promise<T>): Promise<T> =>
    administer(() => {
      takeArgument(call, "id", id, text);
      refuse(loop, call, id);
      return then(loop.slots.get(id)!);
    });
  const started = (slot: ChildSlot, event: SupervisorEvent): Promise<unknown> => {
    const answer = slot.nextStart();
    loop.dispatch(event);
    return answer;
  };

  const { strategy, intensity, periodMs, dynamic } = loop.state.flags;
  return {
    id: loop.state.id,
    flags: { strategy, intensity, periodMs, dynamic },
    startChild: (spec: ChildSpec): Promise<any> =>
      administer(() => {
        const full = admit(spec, loop.state);
        refuse(loop, "startChild", full.id);
        const slot = loop.addSlot(full);
        const child = newChild(declaredChild(full, slot.child.type), { kind: "start_child" });
        return started(slot, { kind: "start_child", child });
      }),
    restartChild: (id) => onChild("restartChild", id, (slot) => started(slot, { kind: "restart_child", id })),
    terminateChild: (id) =>
      onChild("terminateChild", id, (slot) => {
        loop.dispatch({ kind: "terminate_child", id });
        return slot.stopped ?? undefined;
      }),
    deleteChild: (id) => onChild("deleteChild", id, () => loop.dispatch({ kind: "delete_child", id })),
    whichChildren: () =>
      [...loop.state.children].reverse().map((child) => {
        const { id, type, restart } = child;
        return { id, type, state: childStatus(child), restart, ref: loop.slots.get(id)?.child.ref };
      }),
    countChildren: () => countChildren(loop.state),
    recentRestarts: () => {
      const { intensity, periodMs } = loop.state.flags;
      const since = loop.environment.clock.now() - periodMs;
      return { count: loop.state.failures.filter((at) => at >= since).length, intensity, periodMs };
    },
    child: (id) => loop.slots.get(takeArgument("child", "id", id, text))?.child.ref,
  };
}

const REFUSED: Partial<Record<ActorErrorCode, string>> = {
  ERR_ALREADY_PRESENT: "is there already, but does not run: restart it or delete it",
  ERR_ALREADY_STARTED: "is running already",
  ERR_MAX_CHILDREN: "would be one child more than maxChildren",
  ERR_NOT_FOUND: "does not exist",
  ERR_RESTARTING: "is being restarted",
  ERR_RUNNING: "is running",
};

function refuse({ state, slots }: SupervisionLoop, call: AdministrationCall, childId: string): void {
  const code = refusal(state, call, childId);
  if (code === null) return;
  const id = `${state.id}/${childId}`;
  const ref = slots.get(childId)?.child.ref;
  throw new ActorError(code, `${id} ${REFUSED[code]}`, { id, ...(ref === undefined ? {} : { ref }) });
}
