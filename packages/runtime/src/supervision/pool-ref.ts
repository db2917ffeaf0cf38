import { PoolRef, type Sender } from "@mini-otp/worker-host/protocol/refs";
import type { PoolStats } from "../stats/pool-stats.js";

/** A pool's reference on main. */
export class SupervisedPoolRef<F extends (task: any) => unknown = (task: any) => any> extends PoolRef<F> {
  readonly #stats: () => PoolStats;
  readonly #parallelTasks: number;

  /** @internal */
  constructor(sender: Sender, uid: number, id: string, parallelTasks: number, stats: () => PoolStats) {
    super(sender, uid, id);
    this.#parallelTasks = parallelTasks;
    this.#stats = stats;
  }

  stats(): PoolStats {
    return this.#stats();
  }

  /** @internal */
  protected override get parallelTasks(): number {
    return this.#parallelTasks;
  }
}
