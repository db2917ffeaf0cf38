import { Queue } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "./child.js";
import { ChildSlot } from "./child-slot.js";
import type { FullChildSpec } from "./child-spec.js";
import type { Clock } from "./clock.js";
import type { RestartBudget, SupervisionReport } from "./report.js";
import { lackOf, startError } from "./start-error.js";
import { NOTHING_LEFT } from "./stop-budget.js";
import type { SupervisorState } from "./supervisor-state.js";
import { type SupervisorEvent, step } from "./supervisor-step.js";
import type { Action } from "./supervisor-turn.js";

/** What a supervisor needs from the tree it is in. */
export interface TreeEnvironment {
  readonly clock: Clock;
  random(): number;
  createChild(spec: FullChildSpec, path: string, onExit: OnExit): Child;
  /** `budget` comes with a failure that the supervisor has counted. */
  report(report: SupervisionReport, budget?: RestartBudget): void;
  /** A step for `id` threw, which must not happen; the supervisor goes on. Never throws. */
  failed(id: string, error: unknown): void;
  /** The root is stopping, or has stopped. */
  isStopping(): boolean;
}

/** The supervisor that owns the loop. */
export interface LoopOwner {
  hasStarted(): void;
  hasEnded(reason: ExitReason): void;
  /** The request to stop a child now. */
  stopRequest(slot: ChildSlot, restarting: boolean): StopRequest;
  childEnded(slot: ChildSlot, outcome: StopOutcome): void;
}

/** Dispatches events one at a time, and performs the actions that `step` returns. */
export class SupervisionLoop {
  state: SupervisorState;
  readonly slots = new Map<string, ChildSlot>();
  readonly environment: TreeEnvironment;
  readonly #owner: LoopOwner;
  readonly #inbox = new Queue<() => void>();
  #busy = false;

  constructor(state: SupervisorState, environment: TreeEnvironment, owner: LoopOwner) {
    this.state = state;
    this.environment = environment;
    this.#owner = owner;
  }

  /** Runs a task now, or after the current event, because an action may cause further events synchronously. */
  run(task: () => void): void {
    this.#inbox.push(task);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      this.#safely(this.state.id, next);
    }
    this.#busy = false;
  }

  /** May be called only within `run`. */
  dispatch(event: SupervisorEvent): void {
    const { state, actions } = step(this.state, event, this.environment.clock.now());
    this.state = state;
    // All actions are performed, even if one throws, because the new state assumes them.
    for (const action of actions) {
      this.#safely("id" in action ? `${this.state.id}/${action.id}` : this.state.id, () => this.#perform(action));
    }
  }

  #safely(id: string, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.environment.failed(id, error);
    }
  }

  /** Throws what `createChild` throws. */
  addSlot(spec: FullChildSpec): ChildSlot {
    const path = `${this.state.id}/${spec.id}`;
    const child = this.environment.createChild(spec, path, (reason) => this.#childExited(slot, reason));
    const slot = new ChildSlot(spec, path, child);
    this.slots.set(spec.id, slot);
    return slot;
  }

  /** The error of a call that needs a running supervisor. */
  notRunning(): ActorError {
    const { id } = this.state;
    return this.environment.isStopping()
      ? new ActorError("ERR_SYSTEM_STOPPED", `${id}: the system is stopping or has stopped`, { id })
      : new ActorError("ERR_NOPROC", `${id}: this supervisor is not running`, { id });
  }

  #perform(action: Action): void {
    switch (action.kind) {
      case "report":
        return this.environment.report(action.report, action.budget);
      case "supervisor_started":
        return this.#owner.hasStarted();
      case "supervisor_ended":
        return this.#owner.hasEnded(action.reason);
      default: {
        const slot = this.slots.get(action.id);
        if (slot !== undefined) this.#performOn(slot, action);
      }
    }
  }

  #performOn(slot: ChildSlot, action: Extract<Action, { id: string }>): void {
    switch (action.kind) {
      case "start_child": {
        const { incarnation } = action;
        slot.start(incarnation, (outcome) => this.#startSettled(slot, incarnation, outcome));
        return;
      }
      case "stop_child": {
        const request = this.#owner.stopRequest(slot, action.restarting);
        return slot.stop(request, this.environment.clock, (outcome, last) => this.#stopSettled(slot, outcome, last));
      }
      case "park_child":
        return slot.child.park?.(action.reason);
      case "dispose_child":
        this.slots.delete(action.id);
        return slot.child.dispose();
      case "schedule_restart":
        return slot.scheduleRestart(this.environment.clock, action.delayMs, () =>
          this.run(() => this.dispatch({ kind: "restart_due", id: action.id })),
        );
      case "cancel_restart":
        return slot.cancelRestart();
      case "reply":
        return this.#reply(slot, action.failure);
    }
  }

  #reply(slot: ChildSlot, failure: ExitReason | null): void {
    if (failure === null) slot.answer();
    else if (this.environment.isStopping()) slot.refuse(this.notRunning());
    else slot.refuse(startError(slot.path, slot.child.type, failure, lackOf(slot.spec)));
  }

  /** Runs a task unless the child is gone: another child may have its id by now. */
  #runFor(slot: ChildSlot, task: (id: string) => void): void {
    const { id } = slot.spec;
    this.run(() => {
      if (this.slots.get(id) === slot) task(id);
    });
  }

  #startSettled(slot: ChildSlot, incarnation: number, outcome: StartOutcome): void {
    this.#runFor(slot, (id) => {
      switch (outcome.kind) {
        case "started":
          return this.dispatch({ kind: "child_started", id, incarnation });
        case "ignored":
          return this.dispatch({ kind: "child_ignored", id, incarnation });
        case "failed": {
          const random = this.environment.random();
          return this.dispatch({ kind: "child_failed", id, incarnation, reason: outcome.reason, random });
        }
      }
    });
  }

  #stopSettled(slot: ChildSlot, outcome: StopOutcome, request: StopRequest): void {
    this.#runFor(slot, (id) => {
      this.#owner.childEnded(slot, outcome);
      this.dispatch({ kind: "child_stopped", id, reason: outcome.reason, request });
    });
  }

  #childExited(slot: ChildSlot, reason: ExitReason): void {
    this.#runFor(slot, (id) => {
      this.#owner.childEnded(slot, { ...NOTHING_LEFT, reason, dropped: slot.child.queued ?? 0 });
      this.dispatch({ kind: "child_exited", id, reason, random: this.environment.random() });
    });
  }
}
