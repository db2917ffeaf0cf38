import v8 from "node:v8";
import workerThreads, { type Worker } from "node:worker_threads";

/*
 * Memory that an actor takes and that V8 does not count as its own: shared buffers, threads it starts, and on
 * Node 26 wasm memory. The thread counts it where it is taken. What wasm code grows by itself is not seen.
 */

/** A bare worker with its stack and heap takes 2–9 MiB. */
const WORKER_BYTES = 8 * 1024 * 1024;
/** Main is told when the sum has changed by this much. */
const STEP_BYTES = 1024 * 1024;

type Constructor = abstract new (...args: any[]) => object;
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmInstance {
  readonly exports: object;
}
interface Wasm {
  Memory: Constructor;
  Instance: Constructor;
  instantiate(...args: unknown[]): Promise<WasmInstance | { readonly instance: WasmInstance }>;
}

const { getHeapStatistics } = v8;
const { Memory: PlainMemory } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly as unknown as {
  Memory: new (descriptor: { initial: number }) => WasmMemory;
};

/** Counts from now on in this thread. */
export class UnseenMemory {
  readonly #report: (bytes: number) => void;
  readonly #maxThreads: number;
  #threads = 0;
  // Does not keep what it counts alive; a dropped buffer is subtracted when the event loop next turns.
  readonly #dropped = new FinalizationRegistry<{ bytes: number }>((counted) => this.#add(-counted.bytes));
  readonly #memories = new WeakMap<object, { bytes: number }>();
  #wasmIsUnseen: boolean | undefined;
  #bytes = 0;
  #reportedBytes = 0;

  /** `report` is told the sum, in bytes, whenever it has changed by a mebibyte. */
  constructor(offHeapCapMb: number, report: (bytes: number) => void) {
    this.#report = report;
    this.#maxThreads = Math.floor((offHeapCapMb * 1024 * 1024) / WORKER_BYTES);
    this.#watchSharedBuffers();
    this.#watchThreads();
    this.#watchWasm((globalThis as unknown as { WebAssembly: Wasm }).WebAssembly);
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    if (Math.abs(this.#bytes - this.#reportedBytes) < STEP_BYTES) return;
    this.#reportedBytes = this.#bytes;
    this.#report(this.#bytes);
  }

  #watchSharedBuffers(): void {
    globalThis.SharedArrayBuffer = onConstruct(SharedArrayBuffer, (buffer) => {
      this.#dropped.register(buffer, { bytes: buffer.byteLength });
      this.#add(buffer.byteLength);
    });
  }

  /** Threads are refused, not only counted: by the time that main has killed their owner there would be dozens. */
  #watchThreads(): void {
    const refuse = (): void => {
      if (this.#threads < this.#maxThreads) return;
      const most = `an actor may have ${this.#maxThreads}, since each counts ${WORKER_BYTES / 1024 / 1024} MiB of its offHeapCapMb`;
      throw new RangeError(`new Worker: too many threads; ${most}`);
    };
    const counted = (change: number): void => {
      this.#threads += change;
      this.#add(change * WORKER_BYTES);
    };
    workerThreads.Worker = onConstruct(
      workerThreads.Worker,
      (worker: Worker) => {
        counted(1);
        worker.once("exit", () => counted(-1));
      },
      refuse,
    );
  }

  #watchWasm(wasm: Wasm): void {
    const { Memory, instantiate } = wasm;
    const { grow } = Memory.prototype;
    const count = (memory: WasmMemory): void => this.#countWasm(memory);
    const countExports = ({ exports }: WasmInstance): void => {
      for (const exported of Object.values(exports)) if (exported instanceof Memory) count(exported as WasmMemory);
    };
    Memory.prototype.grow = function (this: WasmMemory, pages: number): number {
      const before = grow.call(this, pages);
      count(this);
      return before;
    };
    wasm.Memory = onConstruct(Memory, (memory) => count(memory as WasmMemory));
    wasm.Instance = onConstruct(wasm.Instance, (instance) => countExports(instance as WasmInstance));
    wasm.instantiate = async (...args) => {
      const made = await instantiate(...args);
      countExports("instance" in made ? made.instance : made);
      return made;
    };
  }

  #countWasm(memory: WasmMemory): void {
    this.#wasmIsUnseen ??= wasmIsUnseen();
    if (!this.#wasmIsUnseen) return;
    const known = this.#memories.get(memory);
    const counted = known ?? { bytes: 0 };
    const bytes = memory.buffer.byteLength;
    this.#add(bytes - counted.bytes);
    counted.bytes = bytes;
    if (known !== undefined) return;
    this.#memories.set(memory, counted);
    this.#dropped.register(memory, counted);
  }
}

/** V8 14 leaves wasm memory out of its statistics; what it counts must not be counted twice. */
function wasmIsUnseen(): boolean {
  const before = getHeapStatistics().external_memory;
  const memory = new PlainMemory({ initial: 1 });
  return getHeapStatistics().external_memory - before < memory.buffer.byteLength;
}

function onConstruct<C extends Constructor>(type: C, made: (instance: InstanceType<C>) => void, before = () => {}): C {
  const watched = new Proxy(type, {
    construct(target, args, newTarget) {
      before();
      const instance = Reflect.construct(target, args, newTarget);
      made(instance);
      return instance;
    },
  });
  type.prototype.constructor = watched;
  return watched;
}
