import { type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { childStatus } from "./administration.js";
import type { Child, ChildStopReport, OnExit, StartOutcome, StopOutcome, StopRequest } from "./child.js";
import type { ChildSlot } from "./child-slot.js";
import type { ChildSpec, FullChildSpec } from "./child-spec.js";
import { Deadline } from "./deadline.js";
import { type Deferred, deferred } from "./deferred.js";
import { demandMs, limitAt, NOTHING_LEFT, shareOf, totalOf } from "./stop-budget.js";
import { SupervisionLoop, type TreeEnvironment } from "./supervision-loop.js";
import { createSupervisorRef, type SupervisorRef } from "./supervisor-ref.js";
import {
  type ChildState,
  declaredChild,
  findChild,
  isAlive,
  newChild,
  newSupervisor,
  type SupervisorFlags,
  type SupervisorState,
} from "./supervisor-state.js";

export interface SupervisorPlan {
  readonly path: string;
  readonly flags: SupervisorFlags;
  readonly children: readonly FullChildSpec[];
  /** Completes a spec that was given to `startChild`. Throws ERR_INVALID_CHILD_SPEC. */
  admit(spec: ChildSpec, state: SupervisorState): FullChildSpec;
}

/** A supervisor as a child of its own supervisor: it is started and stopped. */
export class SupervisorProcess implements Child<SupervisorRef> {
  readonly type = "supervisor";
  readonly ref: SupervisorRef;
  readonly #plan: SupervisorPlan;
  readonly #onExit: OnExit;
  readonly #loop: SupervisionLoop;
  #answerStart: ((outcome: StartOutcome<SupervisorRef>) => void) | null = null;
  #stopped: Deferred<StopOutcome> | null = null;
  #stopReason: ExitReason = SHUTDOWN;
  /** The time by which all children must have ended. */
  #deadline: Deadline;
  /** Children that still run are killed, without being asked to stop. */
  #isBrutal = false;
  #endedChildren: ChildStopReport[] = [];

  constructor(plan: SupervisorPlan, environment: TreeEnvironment, onExit: OnExit) {
    this.#plan = plan;
    this.#onExit = onExit;
    this.#deadline = this.#newDeadline(environment);
    this.#loop = new SupervisionLoop(newSupervisor(plan.path, plan.flags), environment, {
      hasStarted: () => this.#hasStarted(),
      hasEnded: (reason) => this.#hasEnded(reason),
      stopRequest: (slot, restarting) => this.#stopRequest(slot, restarting),
      childEnded: (slot, outcome) => this.#childEnded(slot, outcome),
    });
    this.ref = createSupervisorRef(this.#loop, plan.admit);
  }

  /** True while it is stopping, and after it has stopped. */
  get isStopping(): boolean {
    const { phase, exit } = this.#loop.state;
    return phase === "stopping" || (phase === "down" && exit !== null);
  }

  start(_incarnation?: number): Promise<StartOutcome<SupervisorRef>> {
    return new Promise((resolve) => {
      this.#loop.run(() => {
        this.#stopReason = SHUTDOWN;
        this.#deadline = this.#newDeadline(this.#loop.environment);
        this.#isBrutal = false;
        this.#endedChildren = [];
        try {
          this.#disposeUndeclared();
          const children = this.#plan.children.map((spec) => this.#declare(spec));
          this.#answerStart = resolve;
          this.#loop.dispatch({ kind: "start", children });
        } catch (error) {
          this.#answerStart = null;
          resolve({ kind: "failed", reason: { kind: "init_failed", error } });
        }
      });
    });
  }

  /**
   * Disposes of children that the previous incarnation declared and this one does not: members that a router has given
   * up.
   */
  #disposeUndeclared(): void {
    const declared = new Set(this.#plan.children.map(({ id }) => id));
    for (const [id, { child }] of this.#loop.slots) {
      if (declared.has(id)) continue;
      this.#loop.slots.delete(id);
      child.dispose();
    }
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const { phase, exit } = this.#loop.state;
    if (phase === "down") return Promise.resolve({ ...NOTHING_LEFT, reason: exit ?? request.reason });
    this.#stopped ??= deferred();
    const { promise } = this.#stopped;
    this.#loop.run(() => this.#stopWithin(request));
    return promise;
  }

  park(reason: ExitReason): void {
    for (const { child } of this.#loop.slots.values()) child.park?.(reason);
  }

  dispose(): void {
    for (const { child } of this.#loop.slots.values()) child.dispose();
    this.#loop.slots.clear();
  }

  /** A child of the spec keeps its slot over the supervisor's restarts, and with it its references and its mailbox. */
  #declare(spec: FullChildSpec): ChildState {
    const slot = this.#loop.slots.get(spec.id) ?? this.#loop.addSlot(spec);
    const before = findChild(this.#loop.state, spec.id);
    return newChild(declaredChild(spec, slot.child.type), { kind: "supervisor_start" }, before?.incarnation);
  }

  #hasStarted(): void {
    this.#answerStart?.({ kind: "started", ref: this.ref });
    this.#answerStart = null;
  }

  #childEnded({ path, spec }: ChildSlot, outcome: StopOutcome): void {
    const { state } = this.#loop;
    if (state.phase !== "stopping") return;
    const wasUp = findChild(state, spec.id)?.restarts.upSince !== null;
    // A start that is given up fails with `killed` for its caller, but nothing ran that was killed.
    const isGivenUp = !wasUp && !outcome.killed && outcome.reason.kind === "killed";
    const reason = isGivenUp ? this.#stopReason : outcome.reason;
    this.#endedChildren.push({ ...outcome, reason, id: path, state: wasUp ? "running" : "restarting" });
  }

  #hasEnded(reason: ExitReason): void {
    this.#deadline.cancel();
    const [answerStart, stopped] = [this.#answerStart, this.#stopped];
    this.#answerStart = null;
    this.#stopped = null;
    answerStart?.({ kind: "failed", reason });
    stopped?.resolve({ ...totalOf(this.#endedChildren), reason, children: this.#endedChildren });
    if (answerStart === null && stopped === null) this.#onExit(reason);
  }

  #stopWithin(request: StopRequest): void {
    const { reason, shutdown, deadlineAt = Infinity } = request;
    const asksBrutally = shutdown === "brutal_kill";
    const limit = asksBrutally ? deadlineAt : limitAt(request, this.#loop.environment.clock.now());
    this.#stopReason = reason;
    this.#isBrutal ||= asksBrutally;
    const isEarlier = this.#deadline.drawIn(limit);
    if (!request.restarting && this.#loop.state.phase !== "stopping") this.#giveUpWaiting(reason);
    this.#loop.dispatch({ kind: "stop", reason });
    if (this.#loop.state.phase !== "stopping") return this.#deadline.cancel();
    if (this.#isBrutal) this.#killTheRest();
    else if (isEarlier) this.#tightenStops();
  }

  #newDeadline({ clock }: TreeEnvironment): Deadline {
    return new Deadline(clock, () => this.#loop.run(() => this.#killTheRest()));
  }

  /** Children that do not run refuse messages from now on; messages that wait in them are lost. */
  #giveUpWaiting(reason: ExitReason): void {
    for (const child of this.#loop.state.children) {
      const slot = this.#loop.slots.get(child.id);
      if (slot === undefined || isAlive(child)) continue;
      this.#endedChildren.push(...SupervisorProcess.#leftIn(slot, reason, childStatus(child) === "restarting"));
      slot.child.park?.(reason);
    }
  }

  /** The report on a child that does not run: there is one if it was going to be started, or if messages wait in it. */
  static #leftIn({ child, path: id }: ChildSlot, reason: ExitReason, toBeStarted: boolean): ChildStopReport[] {
    const about = { id, reason, state: "restarting" } as const;
    if (!(child instanceof SupervisorProcess)) {
      const dropped = child.queued ?? 0;
      return toBeStarted || dropped > 0 ? [{ ...NOTHING_LEFT, ...about, dropped }] : [];
    }
    const children = [...child.#loop.slots.values()].flatMap((slot) => SupervisorProcess.#leftIn(slot, reason, false));
    return toBeStarted || children.length > 0 ? [{ ...totalOf(children), ...about, children }] : [];
  }

  /** The time is over: kills all children that still run, at once. */
  #killTheRest(): void {
    if (this.#loop.state.phase !== "stopping") return;
    this.#loop.dispatch({ kind: "overdue" });
    this.#tightenStops();
  }

  #tightenStops(): void {
    const { environment, slots, state } = this.#loop;
    for (const { id } of [...state.children.in("stopping")]) {
      const slot = slots.get(id);
      if (slot?.isStopping) slot.tighten(this.#stopRequest(slot, false), environment.clock.now());
    }
  }

  #stopRequest(slot: ChildSlot, restarting: boolean): StopRequest {
    const reason = this.#stopReason;
    const deadlineAt = this.#deadline.atMs;
    if (this.#isBrutal && deadlineAt === Infinity) return { reason, shutdown: "brutal_kill", restarting };
    if (this.#isBrutal) return { reason, shutdown: "brutal_kill", deadlineAt, restarting };
    const { shutdown } = slot.spec;
    if (deadlineAt === Infinity) return { reason, shutdown, restarting };
    const now = this.#loop.environment.clock.now();
    const remaining = Math.max(0, deadlineAt - now);
    const others = this.#plan.flags.dynamic ? 0 : this.#demand(remaining, "unasked");
    return {
      reason,
      shutdown,
      deadlineAt: now + shareOf(remaining, SupervisorProcess.#demandOf(slot, remaining), others),
      restarting,
    };
  }

  /**
   * How long the children that run may take to stop by their specs, each at most `mostMs`. Workers are counted by their
   * `shutdown`, not walked, because a stop asks this once for each child.
   */
  #demand(mostMs: number, of: "alive" | "unasked"): number {
    const { children } = this.#loop.state;
    let sum = 0;
    let longest = 0;
    const add = (demand: number, count: number): void => {
      sum += demand * count;
      longest = Math.max(longest, demand);
    };
    for (const [shutdown, count] of children.tally(of === "alive" ? "aliveWorkers" : "unaskedWorkers")) {
      add(Math.min(demandMs(shutdown), mostMs), count);
    }
    for (const { id, phase } of children.in("aliveSupervisors")) {
      if (of === "unasked" && phase === "stopping") continue;
      add(SupervisorProcess.#demandOf(this.#loop.slots.get(id)!, mostMs), 1);
    }
    return this.#plan.flags.dynamic ? longest : sum;
  }

  static #demandOf({ child, spec }: ChildSlot, mostMs: number): number {
    const own = demandMs(spec.shutdown);
    return child instanceof SupervisorProcess ? Math.min(own, child.#demand(mostMs, "alive")) : Math.min(own, mostMs);
  }
}
