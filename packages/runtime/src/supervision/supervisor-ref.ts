import { ActorError, type ActorErrorCode, isActorError, withCaller } from "@mini-otp/worker-host/protocol/errors";
import { takeArgument, text } from "@mini-otp/worker-host/protocol/options";
import { type ActorRef, type NotAnActor, type RefOf, RUNNING_ALREADY } from "@mini-otp/worker-host/protocol/refs";
import type { ArgsOver } from "./actor-type.js";
import {
  type AdministrationCall,
  type AnySupervisorRef,
  type ChildInfo,
  childStatus,
  countChildren,
  refusal,
} from "./administration.js";
import type { ChildSlot } from "./child-slot.js";
import type {
  ActorOf,
  ActorSpec,
  ChildSpec,
  DynamicSupervisorSpec,
  ExactSpec,
  FullChildSpec,
  PoolSpec,
  RequiredArgs,
  ResourceSpec,
  RouterSpec,
  SupervisorSpec,
  ThreadsOptions,
} from "./child-spec.js";
import type { Exact, IsUnion } from "./exact.js";
import type { PartitionedSupervisorRef } from "./partitioned-ref.js";
import type { SupervisedPoolRef } from "./pool-ref.js";
import type { SupervisedRouterRef } from "./router-ref.js";
import type { SupervisionLoop } from "./supervision-loop.js";
import { declaredChild, newChild, type SupervisorState } from "./supervisor-state.js";
import type { SupervisorEvent } from "./supervisor-step.js";

type Handlers = { readonly handlers: any };
type Task = (task: any) => unknown;

/** The reference that the child of a spec has. */
export type RefOfSpec<S> =
  S extends SupervisorSpec<infer C>
    ? SupervisorRef<C>
    : S extends DynamicSupervisorSpec<infer T>
      ? S extends { readonly threads: ThreadsOptions }
        ? PartitionedSupervisorRef<T>
        : DynamicSupervisorRef<T>
      : S extends ResourceSpec<infer T>
        ? T
        : S extends PoolSpec<infer F>
          ? SupervisedPoolRef<F>
          : S extends { readonly kind: "router" }
            ? SupervisedRouterRef<ActorOf<S>>
            : ActorRef<ActorOf<S>>;

type WithId<S, I> = S extends { readonly id: infer Id extends string }
  ? string extends Id
    ? never
    : I extends Id
      ? S
      : never
  : never;
type WithoutId<S> = S extends { readonly id: infer Id extends string } ? (string extends Id ? S : never) : never;
/** The one type that it can be, or any. */
type Only<T> = [T] extends [never] ? any : unknown extends T ? any : true extends IsUnion<T> ? any : T;

/** The child with this id in a declared tree. A spec whose id is only known to be a text stands for every other id. */
type Declared<C extends readonly unknown[], I> = 0 extends 1 & C
  ? any
  : [WithId<C[number], I>] extends [never]
    ? Only<RefOfSpec<WithoutId<C[number]>>>
    : RefOfSpec<WithId<C[number], I>>;

/** Whether a spec may be of any id: a tree that was not declared, or not as a literal, has such specs. */
type IsOpen<C extends readonly unknown[]> = 0 extends 1 & C
  ? true
  : [C[number]] extends [never]
    ? true
    : [WithoutId<C[number]>] extends [never]
      ? false
      : true;

/**
 * What `child` and `restartChild` can be asked for. A declared tree has the ids of its children; where `T` is named,
 * and in any other tree, every text is one.
 */
export type ChildId<C extends readonly ChildSpec[], T> = unknown extends T
  ? 0 extends 1 & T
    ? string
    : IsOpen<C> extends true
      ? string
      : C[number]["id"] | StartedLater<"child<typeof X>(id)">
  : string;

/** Shown by the compiler beside the ids of a declared tree: how a child is looked up that is not in it. */
export interface StartedLater<LookedUpBy extends string> {
  readonly "what is started later is looked up with its type": LookedUpBy;
}

/** What `child` says: for a `T` that was named, its reference or undefined; else what the declared tree knows. */
export type ChildRef<C extends readonly ChildSpec[], T, I> = unknown extends T
  ? 0 extends 1 & T
    ? any
    : Declared<C, I>
  : RefOf<T> | undefined;

/** What `restartChild` says: it rejects where there is no such child. */
export type RestartedRef<C extends readonly ChildSpec[], T, I> = unknown extends T
  ? 0 extends 1 & T
    ? any
    : Declared<C, I>
  : RefOf<T>;

/** What can be started where `T` was named: the type of an actor's definition, a pool's function or a spec. */
export type SpecFor<T> = unknown extends T
  ? ChildSpec
  : T extends ChildSpec
    ? T
    : T extends Handlers
      ? ActorSpec<T> & RequiredArgs<T>
      : T extends Task
        ? PoolSpec<T>
        : ResourceSpec<T> & { readonly actor?: NotAnActor<"startChild<typeof X>(spec)"> };

/** The reference of what was started. */
export type StartedRef<T, S> = 0 extends 1 & T ? any : T extends Handlers ? ActorRef<T> : RefOfSpec<S>;

/**
 * Administers a supervisor. Valid over restarts. Methods that change something reject with ERR_NOPROC while the
 * supervisor itself does not run, and with ERR_SYSTEM_STOPPED once the whole tree is stopping. No method waits for
 * another child, or for one that keeps failing to restart.
 */
export interface SupervisorRef<C extends readonly ChildSpec[] = any> extends AnySupervisorRef {
  /**
   * Adds a child and starts it. Resolves to its reference once it has started, or when its `init` has returned
   * `ignore()`. Rejects with ERR_INVALID_CHILD_SPEC, ERR_ALREADY_STARTED, ERR_ALREADY_PRESENT, ERR_MAX_CHILDREN, and
   * with ERR_INIT_FAILED, ERR_INIT_TIMEOUT, ERR_ACTOR_MODULE or ERR_NAME_TAKEN when the start failed: then the spec is
   * not kept.
   */
  startChild<T = unknown, const S extends SpecFor<T> = SpecFor<T>>(
    spec: S & ExactSpec<S>,
  ): Promise<StartedRef<NoInfer<T>, NoInfer<S>>>;

  /**
   * Stops a child, or ends the attempts to restart it, and keeps its spec unless it is temporary. Resolves when it has
   * ended, and at once if it does not run. Rejects with ERR_NOT_FOUND.
   */
  terminateChild(id: string): Promise<void>;

  /**
   * Starts a child that is stopped; resolves to its reference, typed as `child` types it. Rejects with ERR_NOT_FOUND,
   * ERR_RUNNING, ERR_RESTARTING, or as `startChild` when the start failed: then the spec is kept.
   */
  restartChild<T = unknown, const I extends ChildId<C, T> = ChildId<C, T>>(
    id: I,
  ): Promise<RestartedRef<C, NoInfer<T>, I>>;

  /** Deletes the spec of a child that is stopped. Rejects with ERR_NOT_FOUND, ERR_RUNNING, ERR_RESTARTING. */
  deleteChild(id: string): Promise<void>;

  /**
   * The reference of the child with this id, running or not. Its type is that of the declared tree, where the child is
   * declared in one and its spec knows its actor; `child<typeof X>(id)` says it for any other.
   */
  child<T = unknown, const I extends ChildId<C, T> = ChildId<C, T>>(id: I): ChildRef<C, NoInfer<T>, I>;
}

/** What a dynamic supervisor can start where `T` was named, with what its template has left open. */
export type DynamicSpecFor<T, Template> = unknown extends T
  ? Partial<ActorSpec> | RouterSpec | PoolSpec | ResourceSpec
  : T extends Handlers
    ? Partial<ActorSpec<T>> & ("args" extends keyof Template ? unknown : RequiredArgs<T>)
    : SpecFor<T>;

/** The reference of what a dynamic supervisor has started: of the template's actor, where the spec names no other. */
export type DynamicRef<T, S, Template> = unknown extends T
  ? S extends { readonly actor: unknown } | { readonly kind: string }
    ? StartedRef<T, S>
    : ActorRef<ActorOf<Template>>
  : StartedRef<T, S>;

/** What a spec for the template's actor must have. */
export type ExactDynamic<S, Template> =
  true extends IsUnion<S>
    ? unknown
    : S extends { readonly kind: "router" | "pool" | "resource" }
      ? ExactSpec<S>
      : Exact<S, ActorSpec> & ArgsOver<S, Template, ActorOf<S extends { readonly actor: unknown } ? S : Template>>;

/** A dynamic supervisor, whose template has what `startChild` is not told. */
export interface DynamicSupervisorRef<Template extends Partial<ActorSpec> = any>
  extends Omit<SupervisorRef, "startChild"> {
  /** As a supervisor's. A child that is given no `id` gets one; the template's `args` are those of the children that are given none. */
  startChild<T = unknown, const S extends DynamicSpecFor<T, Template> = DynamicSpecFor<T, Template>>(
    spec: S & ExactDynamic<S, Template>,
  ): Promise<DynamicRef<NoInfer<T>, NoInfer<S>, Template>>;
}

export function createSupervisorRef(
  loop: SupervisionLoop,
  admit: (spec: ChildSpec, state: SupervisorState) => FullChildSpec,
): SupervisorRef {
  const administer = <T>(call: () => T | Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      let isWithinCall = true;
      loop.run(() => {
        try {
          const runs = loop.state.phase === "starting" || loop.state.phase === "running";
          if (!runs || loop.environment.isStopping()) throw loop.notRunning();
          resolve(call());
        } catch (error) {
          // V8 keeps ten frames: those of the loop would leave no place for the caller's.
          if (isWithinCall && isActorError(error)) Error.captureStackTrace(error, administer);
          reject(error);
        }
      });
      isWithinCall = false;
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
    // The error of a start is made later, in a turn of the loop: here V8 knows again which functions wait for it.
    return answer.catch((error: unknown) => {
      throw withCaller(error, loop.state.id, import.meta.url);
    });
  };

  const { strategy, intensity, periodMs, dynamic } = loop.state.flags;
  return {
    id: loop.state.id,
    flags: { strategy, intensity, periodMs, dynamic },
    startChild: (spec: any): Promise<any> =>
      administer(() => {
        const full = admit(spec, loop.state);
        refuse(loop, "startChild", full.id);
        const slot = loop.addSlot(full);
        const child = newChild(declaredChild(full, slot.child.type), { kind: "start_child" });
        return started(slot, { kind: "start_child", child });
      }),
    restartChild: (id): Promise<any> =>
      onChild("restartChild", id, (slot) => started(slot, { kind: "restart_child", id })),
    terminateChild: (id) =>
      onChild("terminateChild", id, (slot) => {
        loop.dispatch({ kind: "terminate_child", id });
        return slot.stopped ?? undefined;
      }),
    deleteChild: (id) => onChild("deleteChild", id, () => loop.dispatch({ kind: "delete_child", id })),
    whichChildren: () =>
      [...loop.state.children].reverse().map((child) => {
        const { id, type, restart } = child;
        return { id, type, state: childStatus(child), restart, ref: loop.slots.get(id)?.child.ref } as ChildInfo;
      }),
    countChildren: () => countChildren(loop.state),
    recentRestarts: () => {
      const { intensity, periodMs } = loop.state.flags;
      const since = loop.environment.clock.now() - periodMs;
      return { count: loop.state.failures.filter((at) => at >= since).length, intensity, periodMs };
    },
    child: (id): any => loop.slots.get(takeArgument("child", "id", id, text))?.child.ref,
  };
}

const REFUSED: Partial<Record<ActorErrorCode, string>> = {
  ERR_ALREADY_PRESENT: "is there already, but does not run: restart it or delete it",
  ERR_ALREADY_STARTED: RUNNING_ALREADY,
  ERR_MAX_CHILDREN: "would be one child more than maxChildren",
  ERR_NOT_FOUND: "does not exist",
  ERR_RESTARTING: "is being restarted",
  ERR_RUNNING: "is running",
};

/** A supervisor may have a million children: an error names the first. */
const NAMED_CHILDREN = 10;

function moreAbout(code: ActorErrorCode, { id, flags }: SupervisorState, slots: SupervisionLoop["slots"]): string {
  if (code === "ERR_MAX_CHILDREN") return `=${flags.maxChildren}`;
  if (code !== "ERR_NOT_FOUND") return "";
  const named: string[] = [];
  for (const child of slots.keys()) {
    if (named.length === NAMED_CHILDREN) break;
    named.push(child);
  }
  const more = slots.size > named.length ? ` and ${slots.size - named.length} more` : "";
  return named.length === 0 ? `; ${id} has no children` : `; ${id} has ${named.join(", ")}${more}`;
}

function refuse({ state, slots }: SupervisionLoop, call: AdministrationCall, childId: string): void {
  const code = refusal(state, call, childId);
  if (code === null) return;
  const id = `${state.id}/${childId}`;
  const ref = slots.get(childId)?.child.ref;
  const message = `${id} ${REFUSED[code]}${moreAbout(code, state, slots)}`;
  throw new ActorError(code, message, { id, ...(ref === undefined ? {} : { ref }) });
}
