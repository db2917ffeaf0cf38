import v8 from "node:v8";
import workerThreads, { type Worker } from "node:worker_threads";
import { type CollectGarbage, garbageCollector } from "../protocol/port/garbage-collector.js";
import { LiveBytes } from "./live-bytes.js";

/*
 * Memory that an actor takes and V8 does not count for it: shared buffers, threads that it starts, shared wasm memory,
 * and on Node 26 all wasm memory. The thread counts it where it is taken. Memory that wasm code grows by itself is not
 * counted.
 */

const BYTES_PER_MB = 1024 * 1024;
/** A bare worker with its stack and heap takes 2–9 MiB. */
const WORKER_BYTES = 8 * BYTES_PER_MB;
/** Main is told when the sum has changed by this much. */
const STEP_BYTES = BYTES_PER_MB;
/**
 * V8 does not hurry to collect what it does not count: the thread collects after this share of the cap has been taken.
 */
const PRESSURE_SHARE = 0.5;

type Constructor = abstract new (...args: any[]) => object;
interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

interface WasmInstance {
  readonly exports: object;
}
interface Wasm {
  Memory: new (descriptor: { initial: number }) => WasmMemory;
  Instance: Constructor;
  instantiate(...args: unknown[]): Promise<WasmInstance | { readonly instance: WasmInstance }>;
}

const { getHeapStatistics } = v8;
const PlainSharedBuffer = SharedArrayBuffer;
/** Undefined with `--jitless`. */
const plainWasm = (globalThis as unknown as { WebAssembly?: Wasm }).WebAssembly;

/** Counts from now on in this thread. */
export class UnseenMemory {
  readonly #report: (bytes: number) => void;
  readonly #capBytes: number;
  readonly #live = new LiveBytes(() => this.#tell());
  #collectGarbage: CollectGarbage | undefined;
  #takenBytes = 0;
  #threads = 0;
  #wasmIsUnseen = (): boolean => false;
  #reportedBytes = 0;

  /** `report` gets the sum, in bytes, whenever it has changed by a mebibyte. */
  constructor(offHeapCapMb: number, report: (bytes: number) => void) {
    this.#report = report;
    this.#capBytes = offHeapCapMb * BYTES_PER_MB;
    this.#watchSharedBuffers();
    this.#watchThreads();
    if (plainWasm !== undefined) this.#watchWasm(plainWasm);
  }

  /** The bytes in use, including what has become garbage since the last collection. */
  get bytes(): number {
    return this.#live.bytes + this.#threads * WORKER_BYTES;
  }

  /** Right after a collection: subtracts the garbage that it found. */
  recount(): void {
    this.#takenBytes = 0;
    this.#live.recount();
  }

  #tell(): void {
    const { bytes } = this;
    if (Math.abs(bytes - this.#reportedBytes) < STEP_BYTES) return;
    this.#reportedBytes = bytes;
    this.#report(bytes);
  }

  #count(thing: object, bytes: number): void {
    this.#takenBytes += Math.max(0, this.#live.count(thing, bytes));
    if (this.#takenBytes >= this.#capBytes * PRESSURE_SHARE) this.#collect();
  }

  #collect(): void {
    this.#collectGarbage ??= garbageCollector();
    this.#collectGarbage();
    this.recount();
  }

  #watchSharedBuffers(): void {
    const count = (buffer: SharedArrayBuffer): void => this.#count(buffer, buffer.byteLength);
    const { prototype } = PlainSharedBuffer;
    const { grow } = prototype as { grow?(this: SharedArrayBuffer, bytes: number): void };
    if (grow !== undefined) {
      replace(prototype, "grow", function (this: SharedArrayBuffer, bytes: number): void {
        grow.call(this, bytes);
        count(this);
      });
    }
    globalThis.SharedArrayBuffer = onConstruct(PlainSharedBuffer, count);
  }

  /** Threads are refused, not only counted, because dozens could start before main has killed their owner. */
  #watchThreads(): void {
    const room = (): number => this.#capBytes - this.bytes - getHeapStatistics().external_memory;
    const refuse = (): void => {
      if (room() < WORKER_BYTES) this.#collect();
      if (room() >= WORKER_BYTES) return;
      const capMb = this.#capBytes / BYTES_PER_MB;
      const why = `each counts ${WORKER_BYTES / BYTES_PER_MB} MiB, and less is left of offHeapCapMb=${capMb}`;
      throw new RangeError(`new Worker: too many threads: ${why}`);
    };
    const counted = (change: number): void => {
      this.#threads += change;
      this.#tell();
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
    const { Memory, Instance, instantiate } = wasm;
    const { grow } = Memory.prototype as WasmMemory;
    let unseen: boolean | undefined;
    this.#wasmIsUnseen = () => {
      unseen ??= wasmIsUnseen(Memory);
      return unseen;
    };
    const count = (memory: WasmMemory): void => this.#countWasm(memory);
    const countExports = ({ exports }: WasmInstance): void => {
      for (const exported of Object.values(exports)) if (exported instanceof Memory) count(exported as WasmMemory);
    };
    replace(Memory.prototype, "grow", function (this: WasmMemory, pages: number): number {
      const before = grow.call(this, pages);
      count(this);
      return before;
    });
    replace(wasm, "Memory", onConstruct(Memory, count));
    replace(
      wasm,
      "Instance",
      onConstruct(Instance, (instance) => countExports(instance as WasmInstance)),
    );
    replace(wasm, "instantiate", async (...args: unknown[]) => {
      const made = await instantiate(...args);
      countExports("instance" in made ? made.instance : made);
      return made;
    });
  }

  #countWasm(memory: WasmMemory): void {
    const { buffer } = memory;
    if (this.#wasmIsUnseen() || buffer instanceof PlainSharedBuffer) this.#count(memory, buffer.byteLength);
  }
}

/** V8 14 leaves wasm memory out of its statistics; earlier versions count it, so it must not be counted again. */
function wasmIsUnseen(Memory: Wasm["Memory"]): boolean {
  const before = getHeapStatistics().external_memory;
  const memory = new Memory({ initial: 1 });
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
  replace(type.prototype, "constructor", watched);
  return watched;
}

/** With `--frozen-intrinsics` the original stays, and memory taken by it is not counted. */
function replace(owner: object, name: string, value: unknown): void {
  try {
    Reflect.set(owner, name, value);
  } catch {
    // Node freezes with setters that throw.
  }
}
