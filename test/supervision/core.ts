import { SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { BackoffOptions } from "#runtime/supervision/backoff.js";
import type { RestartType } from "#runtime/supervision/child.js";
import {
  type ChildState,
  childrenOf,
  newChild,
  newSupervisor,
  type SupervisorFlags,
  type SupervisorState,
} from "#runtime/supervision/supervisor-state.js";
import { type SupervisorEvent, step } from "#runtime/supervision/supervisor-step.js";
import type { Action } from "#runtime/supervision/supervisor-turn.js";

const NO_BACKOFF: BackoffOptions = { minMs: 0, maxMs: 0, factor: 1, jitter: 0, resetAfterMs: 0 };
const FLAGS: SupervisorFlags = {
  strategy: "one_for_one",
  intensity: 3,
  periodMs: 5_000,
  autoShutdown: "never",
  dynamic: false,
  maxChildren: Infinity,
};

export function coreChild(id: string, restart: RestartType): ChildState {
  const spec = { id, type: "worker", restart, significant: false, shutdown: 5_000, backoff: NO_BACKOFF } as const;
  return newChild(spec, { kind: "supervisor_start" });
}

type CoreState = Omit<SupervisorState, "children"> & { readonly children: readonly ChildState[] };

/** The pure core alone: every child starts and stops as soon as it is told to. */
export class Core {
  #state: SupervisorState;
  readonly actions: Action[] = [];

  constructor(flags: Partial<SupervisorFlags>, children: readonly ChildState[]) {
    this.#state = newSupervisor("root", { ...FLAGS, ...flags });
    this.send({ kind: "start", children });
    this.actions.length = 0;
  }

  /** As it is now; its children as a list. */
  get state(): CoreState {
    return { ...this.#state, children: [...this.#state.children] };
  }

  set state(state: CoreState) {
    this.#state = { ...state, children: childrenOf(state.children) };
  }

  send(event: SupervisorEvent, at = 0): void {
    const { state, actions } = step(this.#state, event, at);
    this.#state = state;
    for (const action of actions) {
      this.actions.push(action);
      this.#carryOut(action, at);
    }
  }

  /** What happened to threads, as `stop c`, `start b`. */
  get moves(): string[] {
    return this.actions.flatMap((action) =>
      action.kind === "start_child"
        ? [`start ${action.id}`]
        : action.kind === "stop_child"
          ? [`stop ${action.id}`]
          : [],
    );
  }

  #carryOut(action: Action, at: number): void {
    if (action.kind === "start_child") {
      this.send({ kind: "child_started", id: action.id, incarnation: action.incarnation }, at);
    }
    if (action.kind === "stop_child") {
      const request = { reason: SHUTDOWN, shutdown: 5_000, restarting: action.restarting };
      this.send({ kind: "child_stopped", id: action.id, reason: SHUTDOWN, request }, at);
    }
  }
}
