import type { ActorSystem } from "@mini-otp/runtime";
import { field, integer, invalidOption, isListOf, isText, required, takeArgument } from "@mini-otp/runtime/options";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { type Cluster, joinBy } from "../cluster/cluster.js";
import { aNodeName, type ClusterOptions, type FullOptions, fullOptions, takeNodeOptions } from "../cluster/options.js";
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

/** Throws ERR_INVALID_OPTION. */
function ofNode(what: string, node: string, ...given: readonly Omit<TestClusterOptions, "nodes">[]): FullOptions {
  return fullOptions(what, Object.assign({}, TIMES, ...given, { cluster: "test", node }));
}

const groupsOfNames = field("lists of names of nodes", isListOf(isListOf(isText)));

/** Nodes in one process: systems of their own, real threads, and a network whose faults are the test's. */
export class TestCluster implements AsyncDisposable {
  readonly #hub = new MemoryHub();
  readonly #options: Omit<TestClusterOptions, "nodes">;
  readonly #nodes = new Map<string, TestNode>();
  /** Of all nodes that there have been. */
  readonly #names = new Set<string>();
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
    if (node === undefined) throw unknown(name, this.#nodes.keys());
    return node;
  }

  /**
   * Starts a node, or starts it again: as another incarnation. Rejects with ERR_INVALID_OPTION, and with ERR_ALREADY_STARTED while it
   * starts, runs or is being stopped.
   */
  async start(name: string, options: Omit<TestClusterOptions, "nodes"> = {}): Promise<TestNode> {
    takeArgument("start", "name", name, aNodeName);
    const full = ofNode("start", name, this.#options, takeNodeOptions("start", options));
    if (this.#hub.has(name)) throw runs(name);
    const engine = this.#hub.connect(name);
    this.#names.add(name);
    try {
      const system = await startTestSystem();
      this.#stopped.push(system);
      const node = { name, system, cluster: await joinBy(system, engine, full) };
      this.#nodes.set(name, node);
      return node;
    } catch (error) {
      engine.kill();
      throw error;
    }
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

  /**
   * From now on only nodes of one group reach each other; those that are in none are one more. The bucket is where the most are.
   * Throws ERR_INVALID_OPTION for a node that is in two groups, RangeError for one that there has never been.
   */
  partition(...groups: readonly (readonly string[])[]): void {
    takeArgument("partition", "groups", groups, groupsOfNames);
    const named = groups.flat();
    for (const name of named) if (!this.#names.has(name)) throw unknown(name, this.#names);
    const twice = named.find((name, i) => named.indexOf(name) !== i);
    if (twice !== undefined) throw inTwo(groups, twice);
    this.#hub.partition(groups.map((group) => [...group]));
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

/** Starts a cluster of so many nodes in this process, connected to each other. Rejects with ERR_INVALID_OPTION. */
export async function testCluster(given: TestClusterOptions): Promise<TestCluster> {
  const fields = { nodes: required(integer([1, 26])) };
  const { nodes, ...options } = takeNodeOptions("testCluster", given, fields);
  ofNode("testCluster", "a", options);
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

function unknown(name: string, names: Iterable<string>): RangeError {
  return new RangeError(`node=${name}: there are ${[...names].join(", ")}`);
}

function runs(name: string): ActorError {
  return new ActorError("ERR_ALREADY_STARTED", `start: node=${name} is there; stop or kill it first`, { id: name });
}

function inTwo(groups: readonly (readonly string[])[], name: string): ActorError {
  const allowed = "groups that have no node in common";
  const facts = { function: "partition", field: "groups", value: groups, allowed };
  return invalidOption(`partition: node=${name} is in two groups, must be ${allowed}`, facts);
}
