import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { ActorSystem } from "@mini-otp/runtime";
import type { ProcessRow } from "../ui/wire.js";

const LOOP_RESOLUTION_MS = 20;
const MIB = 1024 * 1024;

/** The fields of the row that tell what the system does. */
export type Work = Pick<ProcessRow, "handledPerSecond" | "restartsPerSecond" | "waiting" | "totals">;

/** Samples what the whole process uses. Loop delay and CPU are measured over the time since the last sample. */
export class ProcessSampler {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #utilization = performance.eventLoopUtilization();
  #atMs = performance.now();
  #memory = process.memoryUsage();

  constructor() {
    this.#delay.enable();
  }

  sample(system: ActorSystem, now: number, work: Work): ProcessRow {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = this.#measureMemory();
    const { actors, threads, spares, deadLetters } = system.stats();
    const row: ProcessRow = {
      now,
      uptimeMs: Math.round(process.uptime() * 1000),
      rssMb: mebibytes(rss),
      heapUsedMb: mebibytes(heapUsed),
      heapTotalMb: mebibytes(heapTotal),
      externalMb: mebibytes(external),
      arrayBuffersMb: mebibytes(arrayBuffers),
      cpuPercent: this.#cpuPercent(),
      loopDelay: {
        p50Ms: delayMs(this.#delay.percentile(50)),
        p99Ms: delayMs(this.#delay.percentile(99)),
        maxMs: delayMs(this.#delay.max),
      },
      loopUtilization: this.#loopUtilization(),
      actors,
      threads,
      spares,
      deadLetters,
      ...work,
    };
    this.#delay.reset();
    return row;
  }

  close(): void {
    this.#delay.disable();
  }

  #measureMemory(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage();
    } catch {
      // It reads a file, which fails when an actor has taken the last descriptor.
    }
    return this.#memory;
  }

  #cpuPercent(): number {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    const percent = (user + system) / 10 / Math.max(1, nowMs - this.#atMs);
    this.#cpu = process.cpuUsage();
    this.#atMs = nowMs;
    return Math.round(percent * 10) / 10;
  }

  #loopUtilization(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    return Math.round(utilization * 1000) / 1000;
  }
}

/** Less the timer's period, because the histogram holds the whole time between two timers. */
function delayMs(nanoseconds: number): number {
  const ms = nanoseconds / 1e6 - LOOP_RESOLUTION_MS;
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms * 100) / 100) : 0;
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10;
}
