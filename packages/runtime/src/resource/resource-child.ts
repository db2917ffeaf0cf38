import { type ExitReason, KILLED, NORMAL, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { Logger } from "../reporting/logger.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { FullResourceSpec, ResourceContext } from "../supervision/child-spec.js";
import type { Clock, Timer } from "../supervision/clock.js";
import { Deadline } from "../supervision/deadline.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { afterRunning } from "../supervision/running-time.js";
import { demandMs, limitAt, NOTHING_LEFT } from "../supervision/stop-budget.js";

/** One incarnation: from the call of the user's `start` until the user's `stop` has taken its value back. */
interface Life {
  readonly abort: AbortController;
  readonly value: Promise<unknown>;
}

interface Starting {
  readonly resolve: (outcome: StartOutcome) => void;
  readonly timer: Timer;
}

interface Ending {
  readonly outcome: Deferred<StopOutcome>;
  readonly deadline: Deadline;
  /** The supervisor has asked for the end. Otherwise the resource ends by itself, and the supervisor has to be told. */
  asked: boolean;
}

/**
 * A resource as a child of its supervisor: something on main with a lifetime. Main cannot kill code that runs on main.
 * So a `start` or a `stop` that takes too long is left behind, and a value that such a start returns late is passed to
 * `stop` then.
 */
export class ResourceChild implements Child {
  readonly type = "worker";
  readonly #spec: FullResourceSpec;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onExit: OnExit;
  #life: Life | undefined;
  #starting: Starting | undefined;
  #ending: Ending | undefined;
  #value: unknown;
  #lastReason: ExitReason = SHUTDOWN;

  constructor(spec: FullResourceSpec, path: string, clock: Clock, logger: Logger, onExit: OnExit) {
    this.#spec = spec;
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
    this.#onExit = onExit;
  }

  /** The value that `start` returned in this incarnation; undefined while nothing runs. */
  get ref(): unknown {
    return this.#value;
  }

  start(incarnation: number): Promise<StartOutcome> {
    const { startTimeoutMs: afterMs } = this.#spec;
    const abort = new AbortController();
    const context: ResourceContext = {
      id: this.#path,
      incarnation,
      signal: abort.signal,
      fail: (error) => this.#endsByItself(life, { kind: "error", error }),
      finish: () => this.#endsByItself(life, NORMAL),
    };
    const life: Life = { abort, value: Promise.resolve().then(() => this.#spec.start(context)) };
    this.#life = life;
    return new Promise((resolve) => {
      const timedOut = (): void => this.#startFailed(life, { kind: "init_timeout", afterMs });
      const timer = afterRunning(this.#clock, afterMs, timedOut);
      this.#starting = { resolve, timer };
      life.value.then(
        (value) => this.#started(life, value),
        (error: unknown) => this.#startFailed(life, { kind: "init_failed", error }),
      );
    });
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    if (this.#life === undefined) return Promise.resolve({ ...NOTHING_LEFT, reason: this.#lastReason });
    const ending = this.#ending ?? this.#end(this.#life, request.reason);
    ending.asked = true;
    ending.deadline.drawIn(limitAt(request, this.#clock.now()));
    return ending.outcome.promise;
  }

  dispose(): void {}

  #started(life: Life, value: unknown): void {
    if (life !== this.#life || this.#starting === undefined) return;
    this.#value = value;
    this.#settleStart({ kind: "started", ref: value });
  }

  #startFailed(life: Life, reason: ExitReason): void {
    if (life !== this.#life || this.#starting === undefined) return;
    this.#life = undefined;
    this.#lastReason = reason;
    this.#settleStart({ kind: "failed", reason });
    void this.#giveBack(life, reason);
  }

  #settleStart(outcome: StartOutcome): void {
    this.#starting?.timer.cancel();
    this.#starting?.resolve(outcome);
    this.#starting = undefined;
  }

  #endsByItself(life: Life, reason: ExitReason): void {
    if (life !== this.#life || this.#ending !== undefined) return;
    if (this.#starting !== undefined) {
      const error = reason.kind === "error" ? reason.error : new Error(`${this.#path}: it finished before it started`);
      this.#startFailed(life, { kind: "init_failed", error });
      return;
    }
    // `stop` runs before the supervisor is told, so that the next incarnation finds the port free.
    this.#end(life, reason).deadline.drawIn(this.#clock.now() + demandMs(this.#spec.shutdown));
  }

  #end(life: Life, reason: ExitReason): Ending {
    const deadline = new Deadline(this.#clock, () => this.#ended(ending, KILLED, true));
    const ending: Ending = { outcome: deferred(), deadline, asked: false };
    this.#ending = ending;
    this.#settleStart({ kind: "failed", reason: KILLED });
    void this.#giveBack(life, reason).then((failure) => {
      // The reason for its end matters more than the failure of its cleanup, which is in the log.
      this.#ended(ending, failure !== undefined && ending.asked ? failure : reason, false);
    });
    return ending;
  }

  #ended(ending: Ending, reason: ExitReason, leftBehind: boolean): void {
    if (ending !== this.#ending) return;
    ending.deadline.cancel();
    this.#life = this.#ending = this.#value = undefined;
    this.#lastReason = reason;
    ending.outcome.resolve({ ...NOTHING_LEFT, reason, killed: leftBehind, zombie: leftBehind });
    if (!ending.asked) this.#onExit(reason);
  }

  /**
   * Passes the value to the user's `stop`, as soon as there is a value. Resolves to the error of `stop`, if it throws.
   */
  async #giveBack({ abort, value }: Life, reason: ExitReason): Promise<ExitReason | undefined> {
    abort.abort(reason);
    const started = await value.then(
      (resource) => ({ resource }),
      () => undefined,
    );
    if (started === undefined) return undefined;
    try {
      await this.#spec.stop(started.resource as never, reason);
      return undefined;
    } catch (error) {
      this.#logger.error({ actor: this.#path, err: error }, `${this.#path}: its stop failed`);
      return { kind: "error", error };
    }
  }
}
