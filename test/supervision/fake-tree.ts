import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type {
  Child,
  ChildStopReport,
  OnExit,
  StartOutcome,
  StopOutcome,
  StopRequest,
} from "#runtime/supervision/child.js";
import { type ChildSpec, type SupervisorSpec, supervisor } from "#runtime/supervision/child-spec.js";
import { normaliseRoot } from "#runtime/supervision/normalise-spec.js";
import type { RestartBudget, SupervisionReport } from "#runtime/supervision/report.js";
import { demandMs } from "#runtime/supervision/stop-budget.js";
import { createRootSupervisor, type LeafSpec } from "#runtime/supervision/supervision-tree.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { type VirtualClock, virtualClock } from "#runtime/supervision/virtual-clock.js";

export const BOOM: ExitReason = { kind: "error", error: new Error("boom") };

/** What a fake child does when it is started: an outcome, or "hang" until it is told. */
export type StartPlan = "start" | "ignore" | "hang" | ExitReason;

/** How a fake child takes being stopped: at once, after `ms`, or never by itself; and with which reason. */
export interface StopPlan {
  readonly afterMs?: number;
  readonly reason?: ExitReason;
}

/** A child without a thread: it starts, ends and stops exactly as its test tells it to. */
export class FakeChild implements Child<FakeChild> {
  readonly type: "worker" | "supervisor" = "worker";
  readonly ref = this;
  readonly starts: StartPlan[] = [];
  stopPlan: StopPlan = {};
  /** What its stop reports to have left. */
  leaves: Partial<StopOutcome> = {};
  state: "down" | "starting" | "up" | "stopping" | "parked" | "disposed" = "down";
  incarnation = 0;
  lastStop: StopRequest | null = null;
  #limitAt = Infinity;
  /** Its start has failed, and the supervisor is about to learn of it. */
  #untold = false;
  #answerStart: ((outcome: StartOutcome<FakeChild>) => void) | null = null;
  #answerStop: ((reason: ExitReason, killed: boolean) => void) | null = null;
  #stopped: Promise<StopOutcome> | null = null;
  #cancelTimers: (() => void)[] = [];

  constructor(
    readonly path: string,
    readonly spec: LeafSpec,
    readonly tree: FakeTree,
    readonly onExit: OnExit,
  ) {}

  start(incarnation: number): Promise<StartOutcome<FakeChild>> {
    if (this.state !== "down" && this.state !== "parked") throw new Error(`${this.path}: started while ${this.state}`);
    this.incarnation = incarnation;
    this.#stopped = null;
    this.state = "starting";
    this.tree.trace.push(`start ${this.path}`);
    const outcome = new Promise<StartOutcome<FakeChild>>((resolve) => {
      this.#answerStart = resolve;
      const plan = this.tree.nextPlan(this.path, this.starts);
      if (plan === "start") this.started();
      else if (plan === "ignore") this.#settleStart({ kind: "ignored" }, "down");
      else if (plan !== "hang") this.failed(plan);
    });
    void outcome.then(() => (this.#untold = false));
    return outcome;
  }

  /** Lets a start that hangs succeed. */
  started(): void {
    this.#settleStart({ kind: "started", ref: this }, "up");
  }

  failed(reason: ExitReason): void {
    this.#settleStart({ kind: "failed", reason }, "down");
  }

  /** Ends by itself. */
  exit(reason: ExitReason): void {
    if (this.state === "stopping") return this.#answerStop?.(reason, false);
    if (this.state !== "up") throw new Error(`${this.path}: cannot exit while ${this.state}`);
    this.state = "down";
    this.tree.trace.push(`exit ${this.path}`);
    this.onExit(reason);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const limit = Math.min(this.tree.clock.now() + demandMs(request.shutdown), request.deadlineAt ?? Infinity);
    if (this.#stopped !== null) {
      if (limit > this.#limitAt) throw new Error(`${this.path}: the limit was moved from ${this.#limitAt} to ${limit}`);
      this.#limitAt = limit;
      this.#obey(request);
      return this.#stopped;
    }
    if (this.#untold) return Promise.resolve({ reason: BOOM, drained: 0, dropped: 0, killed: false, zombie: false });
    if (this.state !== "up" && this.state !== "starting") throw new Error(`${this.path}: stopped while ${this.state}`);
    this.lastStop = request;
    this.#limitAt = limit;
    this.tree.trace.push(`stop ${this.path}`);
    this.#stopped = new Promise((resolve) => {
      this.#answerStop = (reason, killed) => {
        for (const cancel of this.#cancelTimers.splice(0)) cancel();
        this.#answerStop = null;
        this.state = "down";
        this.tree.trace.push(`${killed ? "killed" : "stopped"} ${this.path}`);
        resolve({ reason, drained: 0, dropped: 0, killed, zombie: false, ...this.leaves });
      };
    });
    this.#settleStart({ kind: "failed", reason: { kind: "killed" } }, "stopping");
    this.state = "stopping";
    this.#obey(request);
    return this.#stopped;
  }

  park(): void {
    if (this.state !== "down" && this.state !== "parked") throw new Error(`${this.path}: parked while ${this.state}`);
    this.state = "parked";
  }

  dispose(): void {
    if (this.state !== "down" && this.state !== "parked") throw new Error(`${this.path}: disposed while ${this.state}`);
    this.state = "disposed";
    this.tree.trace.push(`dispose ${this.path}`);
  }

  #settleStart(outcome: StartOutcome<FakeChild>, state: FakeChild["state"]): void {
    if (this.#answerStart === null) return;
    this.#answerStart(outcome);
    this.#answerStart = null;
    this.#untold = state === "down";
    this.state = state;
  }

  #obey({ reason }: StopRequest): void {
    if (this.#answerStop === null) return;
    const { clock } = this.tree;
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    const kill = () => this.#answerStop?.({ kind: "killed" }, true);
    const { afterMs = 0, reason: own = reason } = this.stopPlan;
    const limitMs = this.#limitAt - clock.now();
    if (limitMs <= 0) kill();
    else if (afterMs === 0) this.#answerStop?.(own, false);
    else {
      const timers = [clock.setTimer(afterMs, () => this.#answerStop?.(own, false)), clock.setTimer(limitMs, kill)];
      this.#cancelTimers.push(...timers.map((timer) => () => timer.cancel()));
    }
  }
}

/** A supervision tree over fake children, on a clock of its own. */
export class FakeTree {
  readonly clock: VirtualClock = virtualClock();
  readonly trace: string[] = [];
  readonly reports: SupervisionReport[] = [];
  /** The event of each report, and the budget that came with it. */
  readonly budgets: [event: string, budget: RestartBudget | undefined][] = [];
  /** What every start of the child at a path comes to. */
  readonly plans = new Map<string, StartPlan>();
  /** How many of its next starts fail. */
  readonly flaky = new Map<string, number>();
  readonly children = new Map<string, FakeChild>();
  readonly created: FakeChild[] = [];
  readonly refuseToCreate = new Map<string, Error>();
  readonly root: Child<SupervisorRef>;
  random = 0.5;
  onReport: (report: SupervisionReport) => void = () => {};
  exitReason: ExitReason | null = null;

  constructor(spec: Partial<Omit<SupervisorSpec, "kind">> = {}) {
    this.root = createRootSupervisor(
      normaliseRoot(supervisor({ id: "root", ...spec })),
      {
        clock: this.clock,
        random: () => this.random,
        createChild: (child, path, onExit) => this.#create(child, path, onExit),
        report: (report, budget) => {
          this.reports.push(report);
          this.budgets.push([report.event, budget]);
          this.onReport(report);
        },
        failed: (id, error) => {
          throw new Error(`${id}: a step of its supervision failed`, { cause: error });
        },
      },
      (reason) => {
        this.exitReason = reason;
      },
    );
  }

  get ref(): SupervisorRef {
    return this.root.ref;
  }

  /** The fake child at this path below the root. */
  at(path: string): FakeChild {
    const child = this.children.get(`root/${path}`);
    if (child === undefined) throw new Error(`no child at root/${path}`);
    return child;
  }

  async start(): Promise<this> {
    const outcome = await this.root.start(1);
    if (outcome.kind !== "started") throw Object.assign(new Error("the root did not start"), { outcome });
    this.trace.length = 0;
    return this;
  }

  /** Lets everything that is under way without a timer come to rest. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  /** A child ends by itself, and what follows without delay has happened. */
  async exit(path: string, reason: ExitReason): Promise<void> {
    this.at(path).exit(reason);
    await this.settle();
  }

  async stop(request: Partial<StopRequest> = {}): Promise<StopOutcome> {
    const stopped = this.root.stop({
      reason: { kind: "shutdown" },
      shutdown: "infinity",
      restarting: false,
      ...request,
    });
    await this.settle();
    return stopped;
  }

  nextPlan(path: string, own: StartPlan[]): StartPlan {
    const failures = this.flaky.get(path) ?? 0;
    if (failures === 0) return own.shift() ?? this.plans.get(path) ?? "start";
    this.flaky.set(path, failures - 1);
    return BOOM;
  }

  /** `id:state` of the root's children, in start order. */
  states(ref: SupervisorRef = this.ref): string[] {
    return ref
      .whichChildren()
      .toReversed()
      .map(({ id, state }) => `${id}:${state}`);
  }

  takeTrace(): string[] {
    return this.trace.splice(0).map((line) => line.replace("root/", ""));
  }

  reported(event: SupervisionReport["event"]): SupervisionReport[] {
    return this.reports.filter((report) => report.event === event);
  }

  #create(spec: LeafSpec, path: string, onExit: OnExit): FakeChild {
    const refused = this.refuseToCreate.get(path);
    if (refused !== undefined) throw refused;
    const child = new FakeChild(path, spec, this, onExit);
    this.children.set(path, child);
    this.created.push(child);
    return child;
  }
}

/** A started tree. */
export function startTree(spec: Partial<Omit<SupervisorSpec, "kind">> = {}): Promise<FakeTree> {
  return new FakeTree(spec).start();
}

/** The spec of a fake worker. */
export function worker(id: string, spec: Partial<ChildSpec> = {}): ChildSpec {
  return { id, actor: "fake", ...spec } as ChildSpec;
}

export function stopReport({ children = [] }: StopOutcome): Record<string, ChildStopReport> {
  return Object.fromEntries(children.map((report) => [report.id, report]));
}
