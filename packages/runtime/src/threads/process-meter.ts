import { FIGURES_MS, type ProcessFigures } from "@mini-otp/worker-host/protocol/port";
import { processStat, residentMb } from "./process-stat.js";

/** An event loop's times in ms since its thread started. A sleep at the doorbell counts as active. */
export interface LoopTimes {
  readonly activeMs: number;
  readonly idleMs: number;
}

/** A process that has told nothing for so long is blocked, if it handles something. */
const SILENT_MS = 2 * FIGURES_MS;

/** An actor's process as it is now. */
export interface ProcessReading {
  readonly pid: number;
  readonly rssMb: number;
  /** V8's heap as the process has told it last. */
  readonly heapMb: number;
  /** The resident memory beside the heap, without what the process had before it loaded the module. */
  readonly offHeapMb: number;
  readonly cpuMs: number;
}

/**
 * The process that runs an actor's module, as main measures it. Resident memory and CPU time are the kernel's, on Linux:
 * so they are right while the process is blocked. The rest, and all of it elsewhere, the process tells.
 */
export class ProcessMeter {
  readonly pid: number;
  readonly #startedAt: string | undefined;
  #told: ProcessFigures | undefined;
  #toldAtMs = 0;
  #rssMb = 0;
  #cpuMs = 0;

  constructor(pid: number) {
    this.pid = pid;
    this.#startedAt = processStat(pid)?.startedAt;
  }

  tell(figures: ProcessFigures): void {
    this.#told = figures;
    this.#toldAtMs = performance.now();
    this.#rssMb = figures.rssMb;
    this.#cpuMs = Math.max(this.#cpuMs, figures.cpuMs);
  }

  /** After the end of the process, as of the last look before it. */
  read(): ProcessReading {
    this.#ask();
    const { heapMb = 0, baseMb = this.#rssMb } = this.#told ?? {};
    const rssMb = this.#rssMb;
    return { pid: this.pid, rssMb, heapMb, offHeapMb: Math.max(0, rssMb - baseMb - heapMb), cpuMs: this.#cpuMs };
  }

  /** For how long its main thread has told nothing although it should: the actor has handled a message for `handlingMs`. */
  silentMs(handlingMs: number): number {
    const silentMs = Math.min(handlingMs, performance.now() - this.#toldAtMs);
    return this.#told === undefined || silentMs < SILENT_MS ? 0 : silentMs;
  }

  /** Its event loop is busy while it tells nothing that it should tell. */
  loopTimes(handlingMs: number): LoopTimes {
    const { activeMs = 0, idleMs = 0 } = this.#told ?? {};
    const sinceMs = this.#told === undefined ? 0 : performance.now() - this.#toldAtMs;
    const silentMs = this.silentMs(handlingMs);
    return { activeMs: activeMs + silentMs, idleMs: idleMs + sinceMs - silentMs };
  }

  #ask(): void {
    const stat = processStat(this.pid);
    // Its number may be another's by now.
    if (stat === undefined || stat.startedAt !== this.#startedAt) return;
    this.#cpuMs = Math.max(this.#cpuMs, stat.cpuMs);
    this.#rssMb = residentMb(this.pid) ?? this.#rssMb;
  }
}
