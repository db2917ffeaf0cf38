import { describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { noproc, type TaskOptions } from "@mini-otp/worker-host/protocol/refs";
import type { TaskValue } from "@mini-otp/worker-host/protocol/values";
import type { Directory } from "../directory/directory.js";
import type { Guard } from "../guard/guard.js";
import { uids } from "../mailbox/uids.js";
import { PoolChild, type PoolHost } from "../pool/pool.js";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { ProcessSignals } from "../signals/process-signals.js";
import type { OnExit } from "../supervision/child.js";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import type { Clock } from "../supervision/clock.js";
import type { PoolMeters } from "./meters.js";

interface PoolParts {
  readonly clock: Clock;
  readonly outbox: PoolHost["outbox"];
  readonly guard: Guard;
  readonly headroomMb: number;
  readonly signals: ProcessSignals;
}

/** All pools of a system. */
export class Pools implements PoolHost {
  readonly clock: Clock;
  readonly outbox: PoolHost["outbox"];
  readonly guard: Guard;
  readonly headroomMb: number;
  readonly #events: Events;
  readonly #logger: Logger;
  readonly #signals: ProcessSignals;
  readonly #directory: Directory;

  constructor(
    { clock, outbox, guard, headroomMb, signals }: PoolParts,
    directory: Directory,
    events: Events,
    logger: Logger,
  ) {
    this.clock = clock;
    this.outbox = outbox;
    this.guard = guard;
    this.headroomMb = headroomMb;
    this.#signals = signals;
    this.#directory = directory;
    this.#events = events;
    this.#logger = logger;
  }

  /** Makes a pool; no thread of it runs before `start`. No other process has `uid`. */
  create(spec: FullPoolSpec, path: string, uid: number, onExit: OnExit): PoolChild {
    const pool = new PoolChild(spec, path, uid, this, onExit);
    this.#directory.addPool(pool);
    return pool;
  }

  /** Rejects with ERR_NOPROC when there is no such pool. */
  run(uid: number, id: string, task: TaskValue, options: TaskOptions): Promise<TaskValue> {
    return this.#directory.pool(uid)?.run(task, options) ?? Promise.reject(noproc({ id }, "run", this.outbox.whyGone));
  }

  meters(): PoolMeters[] {
    return Array.from(this.#directory.pools, (pool) => ({ id: pool.id, stats: pool.stats() }));
  }

  lifeStarted(pool: PoolChild): void {
    this.#signals.started(pool);
  }

  lifeEnded(pool: PoolChild, reason: ExitReason): () => void {
    return this.#signals.ended(pool, reason);
  }

  poolDisposed(pool: PoolChild): void {
    this.#directory.remove(pool.uid, pool);
    uids.free(pool.uid);
  }

  poolThreadLost({ id }: PoolChild, task: string, reason: ExitReason): void {
    this.#events.emit({ event: "pool_thread_lost", id, at: performance.now(), task, reason });
    this.#logger.error(
      { actor: id, task, reason },
      `${id}: a thread ended before its task ${task}: ${describeExit(reason)}`,
    );
  }
}
