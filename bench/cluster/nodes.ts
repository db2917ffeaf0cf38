import { type ChildProcess, fork } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Cluster, joinCluster } from "@mini-otp/cluster";
import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type Counter from "./counter.actor.js";
import { mainCpuMs } from "./main-cpu.js";
import type Sender from "./sender.actor.js";
import { type Server, startServer } from "./server.js";

const DEADLINE_MS = 30_000;
const ENTITIES = 16;
/** A publisher that never waits would fill this process's memory. */
const FLUSH_EVERY_BYTES = 256 * 1024;

/** Two nodes in two processes, and beside each a connection with nats.js alone. */
export class Nodes implements AsyncDisposable {
  readonly #server: Server;
  readonly #receiver: ChildProcess;
  readonly #system: ActorSystem;
  readonly #nats: NatsConnection;
  readonly #sender: ActorRef<typeof Sender>;
  readonly counters: readonly ActorRef<typeof Counter>[];
  /** What moves between nodes, which stays with the receiver here: a singleton, and entities of four shards. */
  readonly singleton: ActorRef<typeof Counter>;
  readonly entities: readonly ActorRef<typeof Counter>[];

  private constructor(
    server: Server,
    receiver: ChildProcess,
    system: ActorSystem,
    nats: NatsConnection,
    sender: ActorRef<typeof Sender>,
    counters: readonly ActorRef<typeof Counter>[],
    moving: readonly ActorRef<typeof Counter>[],
  ) {
    this.#server = server;
    this.#receiver = receiver;
    this.#system = system;
    this.#nats = nats;
    this.#sender = sender;
    this.counters = counters;
    [this.singleton, ...this.entities] = moving;
  }

  static async start(counters: number): Promise<Nodes> {
    const server = await startServer();
    const file = fileURLToPath(new URL("./receiver.js", import.meta.url));
    const receiver = fork(file, [server.url, String(counters)]);
    await new Promise((resolve, reject) => {
      receiver.once("message", resolve);
      receiver.once("exit", () => reject(new Error("the other node has ended")));
    });
    const system = await startSystem({ name: "a", logger: false });
    const cluster = await joinCluster(system, { cluster: "bench", node: "a", servers: [server.url] });
    const sender = await system.startChild<typeof Sender>({
      id: "sender",
      actor: new URL("./sender.actor.js", import.meta.url),
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
      heapCapMb: 256,
      offHeapCapMb: 512,
    });
    const refs: ActorRef<typeof Counter>[] = [];
    for (let i = 0; i < counters; i++) refs.push(await found(cluster, `counter-${i}`));
    const nats = await connect({ servers: server.url, noAsyncTraces: true });
    const entity = new URL("./counter.entity.js", import.meta.url);
    const shards = await cluster.shards<typeof Counter>({ id: "counter", entity, shards: 4, on: { role: "receiver" } });
    const entities = Array.from({ length: ENTITIES }, (_, i) => shards.ref(`counter-${i}`));
    const moving = [cluster.singleton<typeof Counter>("counter"), ...entities];
    return new Nodes(server, receiver, system, nats, sender.with({ timeoutMs: 120_000 }), refs, moving);
  }

  /** Messages a second, from the first publish until the subscriber has the last. */
  async published(count: number, bytes: number): Promise<number> {
    const nats = this.#nats;
    await nats.request("raw.want", String(count));
    const done = new Promise<void>((resolve) => {
      nats.subscribe("raw.done", { max: 1, callback: () => resolve() });
    });
    await nats.flush();
    const payload = new Uint8Array(bytes);
    const flushEvery = Math.max(1, Math.min(5000, Math.floor(FLUSH_EVERY_BYTES / bytes)));
    const since = performance.now();
    for (let i = 1; i <= count; i++) {
      nats.publish("raw", payload);
      if (i % flushEvery === 0) await nats.flush();
    }
    await done;
    return (count / (performance.now() - since)) * 1000;
  }

  /** Casts a second, from the first until the receivers have handled the last. `bytes` of 0: a small object. */
  async cast(
    count: number,
    bytes: number,
    targets: readonly ActorRef<typeof Counter>[] = this.counters.slice(0, 1),
  ): Promise<number> {
    for (const target of targets) await target.call("reset");
    const since = performance.now();
    await this.#sender.call("casts", targets, count, bytes);
    // In order behind the casts: when it is answered they are handled.
    const counts = await Promise.all(targets.map((target) => target.with({ timeoutMs: 120_000 }).call("count")));
    const elapsed = performance.now() - since;
    const handled = counts.reduce((sum, n) => sum + n, 0);
    if (handled !== count) throw new Error(`${count} casts were sent, ${handled} were handled`);
    return (count / elapsed) * 1000;
  }

  /** Median µs of a request, one at a time. */
  async requested(count: number): Promise<Float64Array> {
    const times = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const since = performance.now();
      await this.#nats.request("raw.ask", "12345678");
      times[i] = (performance.now() - since) * 1000;
    }
    return times;
  }

  async called(count: number): Promise<Float64Array> {
    return this.#sender.call("calls", this.counters[0], count);
  }

  async requestedAtOnce(count: number, atOnce: number): Promise<number> {
    return underWay(count, atOnce, () => this.#nats.request("raw.ask", "12345678", { timeout: 10_000 }));
  }

  async calledAtOnce(count: number, atOnce: number, target = this.counters[0]): Promise<number> {
    return underWay(count, atOnce, (i) => target.call("ask", i));
  }

  /** One of the receivers does not read for so long, and what is sent to it has filled all there is. */
  async stick(target: ActorRef<typeof Counter>, forMs: number): Promise<Promise<unknown>> {
    const hung = target.with({ timeoutMs: forMs + 60_000 }).call("hang", forMs);
    const message = { id: 1, name: "abcdefgh", ok: true, score: 1.5 };
    // Full, and still so after what is under way has arrived.
    for (let full = 0; full < 20; ) {
      full = target.tryCast("take", message) === "full" ? full + 1 : 0;
      if (full > 0) await setTimeout(10);
    }
    return hung;
  }

  /** CPU time in µs that each of so many casts takes of the sender's main thread and of the receiver's. Linux only. */
  async mainCost(count: number, bytes: number): Promise<readonly [number, number]> {
    const receiverMs = async () => Number((await this.#nats.request("main-cpu")).string());
    const [here, there] = [mainCpuMs(), await receiverMs()];
    await this.cast(count, bytes);
    return [((mainCpuMs() - here) / count) * 1000, (((await receiverMs()) - there) / count) * 1000];
  }

  /** Share of a core that the other node takes while nothing is sent. */
  async idleShare(forMs: number): Promise<number> {
    const cpuMs = async () => Number((await this.#nats.request("cpu")).string());
    const before = await cpuMs();
    const since = performance.now();
    await setTimeout(forMs);
    return ((await cpuMs()) - before) / (performance.now() - since);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#receiver.once("exit", resolve));
    this.#nats.publish("end");
    await this.#nats.flush();
    await ended;
    await this.#nats.close();
    await this.#system.stop();
    await this.#server.stop();
  }
}

async function underWay(count: number, atOnce: number, ask: (i: number) => Promise<unknown>): Promise<number> {
  let asked = 0;
  const since = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (asked < count) await ask(asked++);
    }),
  );
  return (count / (performance.now() - since)) * 1000;
}

async function found(cluster: Cluster, name: string): Promise<ActorRef<typeof Counter>> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const ref = cluster.nodes().length > 0 ? cluster.whereis<typeof Counter>(name) : undefined;
    if (ref !== undefined) return ref;
    if (performance.now() > deadline) throw new Error(`${name} is not known within ${DEADLINE_MS} ms`);
    await setTimeout(20);
  }
}
