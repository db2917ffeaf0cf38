import type { ActorSystem } from "@mini-otp/runtime";
import { integer, takeArgument } from "@mini-otp/runtime/options";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { type Cluster, joinBy } from "../cluster/cluster.js";
import { type ClusterOptions, takeClusterOptions } from "../cluster/options.js";
import { type BucketBackup, MemoryHub } from "../engine/memory-engine.js";

/** A node of a cluster in one process. */
export interface TestNode {
  readonly name: string;
  readonly system: ActorSystem;
  readonly cluster: Cluster;
}

/** The nodes of a cluster in one process, and what all of them have been given. */
export interface TestClusterOptions extends Partial<Omit<ClusterOptions, "cluster" | "node">> {
  /** How many, from 1 to 26; they are called a, b, c, …. */
  readonly nodes: number;
}

/** Short, so that a test need not wait long; in the proportions of the defaults. */
const TIMES = {
  heartbeatMs: 50,
  goneAfterMs: 200,
  downAfterMs: 1000,
  lease: { renewMs: 100, holdMs: 800, takeOverMs: 1500 },
};
const DEADLINE_MS = 20_000;

/** Nodes in one process: systems of their own, real threads, and a network whose faults are the test's. */
export class TestCluster implements AsyncDisposable {
  readonly #hub = new MemoryHub();
  readonly #options: Omit<TestClusterOptions, "nodes">;
  readonly #nodes = new Map<string, TestNode>();
  readonly #stopped: ActorSystem[] = [];

  /** @internal */
  constructor(options: Omit<TestClusterOptions, "nodes">) {
    this.#options = options;
  }

  get nodes(): readonly TestNode[] {
    return [...this.#nodes.values()];
  }

  /** Throws RangeError for a node that is not there. */
  node(name: string): TestNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`node=${name}: there are ${[...this.#nodes.keys()].join(", ")}`);
    return node;
  }

  /** Starts a node, or starts it again: as another incarnation. */
  async start(name: string, options: Omit<TestClusterOptions, "nodes"> = {}): Promise<TestNode> {
    const full = takeClusterOptions({ ...TIMES, ...this.#options, ...options, cluster: "test", node: name });
    const system = await startTestSystem();
    this.#stopped.push(system);
    const cluster = await joinBy(system, this.#hub.connect(name), full);
    const node = { name, system, cluster };
    this.#nodes.set(name, node);
    return node;
  }

  /** The node is gone as by a kill: nothing of it is sent any more, and it says no good-bye. */
  async kill(name: string): Promise<void> {
    const { system } = this.node(name);
    this.#hub.kill(name);
    this.#nodes.delete(name);
    await system.stop();
  }

  /** The node leaves, and its system stops. */
  async stop(name: string): Promise<void> {
    const { system } = this.node(name);
    this.#nodes.delete(name);
    await system.stop();
  }

  /** From now on only nodes of one group reach each other. The bucket is where the most are. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#hub.partition(groups);
  }

  heal(): void {
    this.#hub.partition([]);
  }

  /** The node loses its connection, until `reconnect`. */
  disconnect(name: string): void {
    this.#hub.setConnected(this.node(name).name, false);
  }

  reconnect(name: string): void {
    this.#hub.setConnected(this.node(name).name, true);
  }

  /** What is in the bucket now, for `restoreBucket`. */
  backUpBucket(): BucketBackup {
    return this.#hub.backUpBucket();
  }

  /** The bucket is another one: of the backup, which is older than what nodes have seen, or empty without one. */
  restoreBucket(backup?: BucketBackup): void {
    this.#hub.restoreBucket(backup);
  }

  /** Resolves when each node sees all others. */
  async connected(): Promise<void> {
    const wanted = this.#nodes.size - 1;
    const deadline = performance.now() + DEADLINE_MS;
    while (this.nodes.some(({ cluster }) => cluster.nodes().length !== wanted)) {
      if (performance.now() > deadline) {
        const seen = this.nodes.map(({ name, cluster }) => `${name} sees ${cluster.nodes().map(({ node }) => node)}`);
        throw new Error(`the nodes have not found each other within ${DEADLINE_MS} ms: ${seen.join("; ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stopped.map((system) => system.stop()));
  }
}

/** Starts a cluster of so many nodes in this process, connected to each other. */
export async function testCluster({ nodes, ...options }: TestClusterOptions): Promise<TestCluster> {
  takeArgument("testCluster", "nodes", nodes, integer([1, 26]));
  const cluster = new TestCluster(options);
  try {
    for (let i = 0; i < nodes; i++) await cluster.start(String.fromCharCode(97 + i));
    await cluster.connected();
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}
