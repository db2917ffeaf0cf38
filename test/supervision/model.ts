import { type ExitReason, isCleanExit } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType } from "#runtime/supervision/child.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";

interface ModelChild {
  readonly id: string;
  readonly restart: RestartType;
  status: "running" | "restarting" | "stopped";
  /** When its next restart attempt is due, while it is restarting; of several at once, the one scheduled first. */
  dueAt: number;
  scheduled: number;
}

export interface ModelOptions {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodMs: number;
  /** The same before every restart. */
  readonly delayMs: number;
}

/**
 * What a supervisor should do, told as OTP's does it: one thing after the other, each start and stop at once. It
 * shares nothing with the implementation but the words.
 */
export class SupervisorModel {
  children: ModelChild[] = [];
  ended = false;
  now = 0;
  readonly trace: string[] = [];
  /** How many of the next starts of a child fail. */
  readonly flaky = new Map<string, number>();
  #failures: number[] = [];
  #scheduled = 0;

  constructor(readonly options: ModelOptions) {}

  states(): string[] {
    return this.children.map(({ id, status }) => `${id}:${status}`);
  }

  startChild(id: string, restart: RestartType): string {
    if (this.ended) return "ERR_SYSTEM_STOPPED";
    const there = this.#find(id);
    if (there !== undefined) return there.status === "running" ? "ERR_ALREADY_STARTED" : "ERR_ALREADY_PRESENT";
    const child: ModelChild = { id, restart, status: "stopped", dueAt: 0, scheduled: 0 };
    if (!this.#start(child)) return "ERR_INIT_FAILED";
    this.children.push(child);
    return "ok";
  }

  terminateChild(id: string): string {
    const child = this.#find(id);
    if (this.ended) return "ERR_SYSTEM_STOPPED";
    if (child === undefined) return "ERR_NOT_FOUND";
    this.#stop(child);
    return "ok";
  }

  restartChild(id: string): string {
    const refused = this.#refusal(id);
    if (refused !== undefined) return refused;
    return this.#start(this.#find(id)!) ? "ok" : "ERR_INIT_FAILED";
  }

  deleteChild(id: string): string {
    const refused = this.#refusal(id);
    if (refused === undefined) this.#forget(id);
    return refused ?? "ok";
  }

  exit(id: string, reason: ExitReason): void {
    const child = this.#find(id)!;
    const restarted = child.restart === "permanent" || (child.restart === "transient" && !isCleanExit(reason));
    child.status = "stopped";
    if (restarted) this.#needsRestart(child, this.options.delayMs === 0);
    else if (child.restart === "temporary") this.#forget(id);
    this.#runUntil(this.now);
  }

  advance(ms: number): void {
    this.#runUntil(this.now + ms);
    this.now += ms;
  }

  isRunning(id: string): boolean {
    return this.#find(id)?.status === "running";
  }

  #runUntil(end: number): void {
    const from = this.now;
    for (;;) {
      const due = this.children.filter((child) => child.status === "restarting" && child.dueAt <= end);
      const [next] = due.sort((a, b) => a.dueAt - b.dueAt || a.scheduled - b.scheduled);
      if (this.ended || next === undefined) break;
      this.now = next.dueAt;
      this.#restartAffected(next);
    }
    this.now = from;
  }

  #needsRestart(child: ModelChild, atOnce: boolean): void {
    const { intensity, periodMs, delayMs } = this.options;
    this.#failures = [...this.#failures.filter((t) => t >= this.now - periodMs), this.now];
    if (this.#failures.length > intensity) return this.#giveUp();
    if (atOnce) return this.#restartAffected(child);
    for (const sibling of this.#affected(child).toReversed()) if (sibling !== child) this.#stop(sibling);
    child.status = "restarting";
    child.dueAt = this.now + delayMs;
    child.scheduled = ++this.#scheduled;
  }

  #restartAffected(failed: ModelChild): void {
    failed.status = "stopped";
    for (const child of this.#affected(failed).toReversed()) this.#stop(child);
    for (const child of this.#affected(failed)) {
      if (this.#start(child)) continue;
      this.#needsRestart(child, false);
      break;
    }
  }

  #giveUp(): void {
    for (const child of this.children.toReversed()) this.#stop(child);
    this.ended = true;
  }

  #affected(child: ModelChild): ModelChild[] {
    switch (this.options.strategy) {
      case "one_for_one":
        return [child];
      case "one_for_all":
        return [...this.children];
      case "rest_for_one":
        return this.children.slice(this.children.indexOf(child));
    }
  }

  #start(child: ModelChild): boolean {
    this.trace.push(`start ${child.id}`);
    const failures = this.flaky.get(child.id) ?? 0;
    this.flaky.set(child.id, Math.max(0, failures - 1));
    child.status = failures > 0 ? "stopped" : "running";
    return failures === 0;
  }

  #stop(child: ModelChild): void {
    if (child.status === "running") this.trace.push(`stop ${child.id}`);
    child.status = "stopped";
    if (child.restart === "temporary") this.#forget(child.id);
  }

  #refusal(id: string): string | undefined {
    if (this.ended) return "ERR_SYSTEM_STOPPED";
    const status = this.#find(id)?.status;
    if (status === undefined) return "ERR_NOT_FOUND";
    return status === "stopped" ? undefined : { running: "ERR_RUNNING", restarting: "ERR_RESTARTING" }[status];
  }

  #find(id: string): ModelChild | undefined {
    return this.children.find((child) => child.id === id);
  }

  #forget(id: string): void {
    this.children = this.children.filter((child) => child.id !== id);
  }
}
