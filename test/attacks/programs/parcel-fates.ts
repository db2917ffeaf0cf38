/*
 * What travels by parcel, and what may become of it while it waits. Prints a line for each, and "done" when main, the
 * system and a bystander have outlived all of them.
 */
import { createSecretKey, X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { MessageChannel } from "node:worker_threads";
import { type ActorRef, isActorError, pool, router, startSystem } from "@mini-otp/runtime";
import { CERTIFICATE } from "./certificate.js";

interface Thing {
  readonly value: unknown;
  readonly transfer: readonly unknown[];
  /** What the other side does meanwhile. */
  spoil(): unknown;
}

const nothing = (): void => {};

const things: Record<string, () => Thing | Promise<Thing>> = {
  MessagePort: () => {
    const { port1, port2 } = new MessageChannel();
    return { value: { port: port1 }, transfer: [port1], spoil: () => port2.close() };
  },
  "MessagePort with mail": () => {
    const { port1, port2 } = new MessageChannel();
    port2.postMessage("hello");
    return { value: [port1], transfer: [port1], spoil: () => port2.close() };
  },
  ArrayBuffer: () => {
    const buffer = new ArrayBuffer(64);
    return { value: { buffer, view: new Uint8Array(buffer) }, transfer: [buffer], spoil: () => detach(buffer) };
  },
  FileHandle: async () => {
    const file = await open(new URL(import.meta.url), "r");
    return { value: { file }, transfer: [file], spoil: () => file.close().catch(nothing) };
  },
  ReadableStream: () => {
    let controller!: ReadableStreamDefaultController;
    const stream = new ReadableStream({
      start: (given) => {
        controller = given;
      },
    });
    return { value: stream, transfer: [stream], spoil: () => controller.error(new Error("spoilt")) };
  },
  WritableStream: () => {
    let controller!: WritableStreamDefaultController;
    const stream = new WritableStream({
      start: (given) => {
        controller = given;
      },
    });
    return { value: { stream }, transfer: [stream], spoil: () => controller.error(new Error("spoilt")) };
  },
  TransformStream: () => {
    let controller!: TransformStreamDefaultController;
    const stream = new TransformStream({
      start: (given) => {
        controller = given;
      },
    });
    return { value: [stream], transfer: [stream], spoil: () => controller.error(new Error("spoilt")) };
  },
  "KeyObject and X509": () => {
    const key = createSecretKey(Buffer.from("secret"));
    return { value: { key, certificate: new X509Certificate(CERTIFICATE) }, transfer: [], spoil: nothing };
  },
  Blob: () => ({ value: [new Blob(["hello"])], transfer: [], spoil: nothing }),
  "what is large": () => ({ value: { bytes: Buffer.alloc(1_000_000, 7) }, transfer: [], spoil: nothing }),
  "a mixture": () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(8);
    const value = new Map<unknown, unknown>([
      ["list", [port1, new Blob(["x"]), { bytes: Buffer.from("y") }]],
      ["words", new Int32Array(new SharedArrayBuffer(8))],
      ["buffer", buffer],
    ]);
    const spoil = (): void => {
      port2.close();
      detach(buffer);
    };
    return { value, transfer: [port1, buffer], spoil };
  },
};

function detach(buffer: ArrayBuffer): void {
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
}

const keeper = new URL("../fixtures/parcel-keeper.actor.js", import.meta.url);
const tasks = new URL("../fixtures/parcel-task.js", import.meta.url);
const system = await startSystem({ logger: false, intensity: 1e6 } as never);
const bystander: ActorRef<any> = await system.startChild({ id: "bystander", actor: keeper });
let count = 0;

const newKeeper = (options: object = {}): Promise<ActorRef<any>> =>
  system.startChild({ id: `keeper-${++count}`, actor: keeper, ...options }) as Promise<ActorRef<any>>;
const name = (ref: ActorRef<any>): string => ref.id.slice("root/".length);
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

/** Busy until `go`. */
async function hold(ref: ActorRef<any>) {
  const word = new Int32Array(new SharedArrayBuffer(8));
  const held = ref.cast("hold", word);
  held.catch(nothing);
  await held;
  await until(() => Atomics.load(word, 1) === 1);
  const go = (): void => {
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
  };
  return { go };
}

type Fate = (thing: Thing) => Promise<unknown>;

const calling = (ref: ActorRef<any>, { value, transfer }: Thing): Promise<unknown> => {
  const calls = ref.with({ transfer: transfer as never, timeoutMs: 5_000 }).call("keep", value);
  calls.catch(nothing);
  return calls;
};

const fates: Record<string, Fate> = {
  async "the other side ends it while it waits"(thing) {
    const ref = await newKeeper();
    const { go } = await hold(ref);
    const called = calling(ref, thing);
    await turns();
    await thing.spoil();
    await turns();
    go();
    await called;
  },
  async "it is gone before it is sent"(thing) {
    const ref = await newKeeper();
    await thing.spoil();
    await turns();
    await calling(ref, thing);
  },
  async "the receiver is killed"(thing) {
    const ref = await newKeeper({ shutdown: "brutal_kill" });
    await hold(ref);
    const called = calling(ref, thing);
    await system.terminateChild(name(ref)).catch(nothing);
    await thing.spoil();
    await called;
  },
  async "the receiver crashes of it and gets it again"(thing) {
    const ref = await newKeeper({ maxDeliveries: 3 });
    const word = new Int32Array(new SharedArrayBuffer(8));
    const called = ref
      .with({ transfer: thing.transfer as never, timeoutMs: 5_000 })
      .call("keepOrCrash", thing.value, word);
    called.catch(nothing);
    await until(() => Atomics.load(word, 0) > 0);
    await thing.spoil();
    await called.finally(() => ref.call("ping"));
  },
  async "the receiver is upgraded"(thing) {
    const ref = await newKeeper();
    const { go } = await hold(ref);
    const called = calling(ref, thing);
    const upgraded = system.upgrade(ref, keeper);
    await turns();
    await thing.spoil();
    go();
    // Where what it keeps cannot be copied the former code goes on, with it.
    await upgraded.catch((error: unknown) => {
      if (!isActorError(error, "ERR_NOT_CLONEABLE")) throw error;
    });
    await called;
  },
  async "the receiver is suspended"(thing) {
    const ref = await newKeeper();
    await system.suspend(ref);
    const called = calling(ref, thing);
    await turns();
    await thing.spoil();
    await turns();
    await system.resume(ref);
    await called;
  },
  async "the mailbox is full, and it waits in line"(thing) {
    const ref = await newKeeper({ mailbox: { capacity: 1, blockTimeoutMs: 3_000 } });
    const { go } = await hold(ref);
    const before = ref.cast("ping");
    before.catch(nothing);
    const called = calling(ref, thing);
    await turns();
    await thing.spoil();
    await turns();
    go();
    await called;
  },
  async "the mailbox is full, and it is dropped"(thing) {
    const ref = await newKeeper({ mailbox: { capacity: 1, overflow: "drop_oldest" } });
    const { go } = await hold(ref);
    const called = calling(ref, thing);
    for (let i = 0; i < 3; i++) await ref.cast("ping");
    await thing.spoil();
    go();
    await called;
  },
  async "a member of a router gets it"(thing) {
    const id = `router-${++count}`;
    const ref: any = await system.startChild(router({ id, size: 1, route: "round_robin", actor: keeper }));
    const { go } = await hold(ref);
    const called = calling(ref, thing);
    await turns();
    await thing.spoil();
    go();
    await called;
  },
  async "it waits for a pool's thread"(thing) {
    const ref: any = await system.startChild(pool({ id: `pool-${++count}`, filename: tasks, maxThreads: 1 } as never));
    const word = new Int32Array(new SharedArrayBuffer(8));
    const holding = ref.run(word, { name: "hold" });
    const ran: Promise<unknown> = ref.run(thing.value, { transferList: thing.transfer });
    ran.catch(nothing);
    await until(() => Atomics.load(word, 1) === 1);
    await thing.spoil();
    await turns();
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    await holding;
    await ran.finally(() => {
      if (ref.stats().threadsLost > 0) throw new TypeError("a thread is counted as lost");
    });
  },
};

let bad = 0;
const line = (what: string, outcome: string): void => void process.stdout.write(`${what}: ${outcome}\n`);

const documented = new Set(["ERR_NOT_CLONEABLE", "ERR_CALL_EXIT", "ERR_MAILBOX_FULL", "ERR_NOPROC"]);
const only = process.argv[2] ?? "";
/** Of the fates of things, one in so many. */
const oneIn = Number(process.argv[3] ?? 1);
let met = 0;

for (const [fate, meet] of Object.entries(fates)) {
  for (const [what, make] of Object.entries(things)) {
    if (!`${fate}, ${what}`.includes(only) || met++ % oneIn !== 0) continue;
    const thing = await make();
    const outcome = await meet(thing).then(
      () => "ok",
      (error: unknown) =>
        isActorError(error) && documented.has(error.code)
          ? error.code
          : `BAD ${String((error as Error)?.stack ?? error)}`,
    );
    if (outcome.startsWith("BAD")) bad++;
    line(`${fate}, ${what}`, outcome);
    // No other end is left open.
    await thing.spoil();
    if ((await bystander.call("ping")) !== "pong") bad++;
  }
}

const closed = new MessageChannel().port1;
closed.close();
await turns();
class Owner {
  port = closed;
  close() {}
}
for (const value of [closed, { closed }, new Owner(), new Map([["port", closed]])]) {
  const outcome = await bystander.call("keep", value as never).catch((error: { code: string }) => error.code);
  line("a closed port that is not transferred", String(outcome));
}

const { port1, port2 } = new MessageChannel();
const listener = await newKeeper();
const { go } = await hold(listener);
const heard = listener.with({ transfer: [port1] }).call("hearsOfItsEnd", { port: port1 });
await turns();
port2.close();
await turns();
go();
line("who gets a port whose other end has gone hears", String(await heard));

const owner = await newKeeper();
const taker = await newKeeper();
const taking = await hold(taker);
await owner.call("giveAndCrash", taker).catch(nothing);
await owner.call("ping");
taking.go();
line("whose owner has crashed", String(await taker.call("ping")));

await system.stop({ timeoutMs: 2_000 });
process.stdout.write(bad === 0 ? "done\n" : `${bad} bad\n`);
