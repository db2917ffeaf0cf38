import v8 from "node:v8";
import { FIGURES_MS, type ProcessFigures } from "../protocol/port/process.js";

const BYTES_PER_MB = 1024 * 1024;
/** A heap that has changed by less is not told: looking at it takes memory too. */
const CHANGED_MB = 1;

const { getHeapStatistics } = v8;
const { performance } = globalThis;
const residentBytes = process.memoryUsage.rss.bind(process.memoryUsage);
const cpuUsage = process.cpuUsage.bind(process);

/** What the main thread of an actor's process measures of the process. Before the module is loaded. */
export class OwnFigures {
  readonly #tell: (figures: ProcessFigures) => void;
  readonly #baseMb = (residentBytes() - getHeapStatistics().used_heap_size) / BYTES_PER_MB;
  #toldMb = 0;

  constructor(tell: (figures: ProcessFigures) => void) {
    this.#tell = tell;
  }

  /** Tells of them now, and from now on. `isBusy`: a handler runs. */
  begin(isBusy: () => boolean): void {
    this.tell();
    setInterval(() => {
      const figures = this.#measure();
      if (isBusy() || Math.abs(figures.heapMb - this.#toldMb) >= CHANGED_MB) this.#send(figures);
    }, FIGURES_MS).unref();
  }

  tell(): void {
    this.#send(this.#measure());
  }

  #send(figures: ProcessFigures): void {
    this.#toldMb = figures.heapMb;
    this.#tell(figures);
  }

  #measure(): ProcessFigures {
    const { user, system } = cpuUsage();
    const { active, idle } = performance.eventLoopUtilization();
    return {
      heapMb: getHeapStatistics().used_heap_size / BYTES_PER_MB,
      rssMb: residentBytes() / BYTES_PER_MB,
      baseMb: this.#baseMb,
      cpuMs: (user + system) / 1000,
      activeMs: active,
      idleMs: idle,
    };
  }
}
