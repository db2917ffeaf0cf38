/** What one round did, and how long it took by one clock. */
export interface Round {
  /** Messages handled, or round trips made. */
  readonly work: number;
  readonly elapsedMs: number;
  /** The times of single round trips, where they were timed. */
  readonly latency?: Latency;
}

export interface Latency {
  readonly medianUs: number;
  readonly p99Us: number;
}

/** A contender with its threads up. */
export interface Runner {
  /** Does about `work` units of work, and at least that many. */
  round(work: number): Promise<Round>;
  stop(): unknown;
}

export interface Contender {
  readonly name: string;
  /** The options and windows that a reader needs to repeat it. */
  readonly how?: string;
  /** Runs in a process of its own, whose share of the cores cannot be told from that of others. */
  readonly isChild?: true;
  /** Rejects with `Absent` where it cannot run on this machine. */
  start(): Promise<Runner>;
}

/** The same work done by several contenders. */
export interface Bench {
  /** The shape of the traffic, which is the file's name. */
  readonly topology: string;
  readonly work: string;
  /** `rate`: units of work a second. `latency`: microseconds for one. */
  readonly measures: "rate" | "latency";
  /** The unit of work: "messages", "calls", "round trips". */
  readonly units: string;
  /** Name of the contender that the others are compared with. */
  readonly baseline: string;
  readonly contenders: readonly Contender[];
}

/** This contender cannot run here, and why. */
export class Absent extends Error {}

export function titleOf(bench: Pick<Bench, "topology" | "work">): string {
  return `${bench.topology} · ${bench.work}`;
}
