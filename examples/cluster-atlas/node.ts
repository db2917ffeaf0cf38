// One node: `a` has the collector and gives out the work, the others offer a parser to it.
import { joinCluster, remote } from "@mini-otp/cluster";
import { type ActorRef, startSystem } from "@mini-otp/runtime";
import type { AtlasSummary } from "../code-atlas/atlas.js";
import type Collector from "../code-atlas/collector.actor.js";
import { memoryFor } from "../code-atlas/run-actors.js";
import { batchesOf, readTree } from "../code-atlas/source-tree.js";
import type Parser from "./parser.actor.js";

export interface NodeArgs {
  readonly node: string;
  /** All that take part. */
  readonly nodes: readonly string[];
  readonly cluster: string;
  readonly servers: readonly string[];
  readonly dir: string;
  /** A port for the observer of all nodes, which node a serves. */
  readonly observe: number | undefined;
}

/** What a node tells the process that has started it. */
export type NodeNews =
  | { readonly type: "joined" }
  | { readonly type: "failed"; readonly code: string; readonly message: string; readonly port: number | undefined }
  | { readonly type: "observed"; readonly url: string }
  | { readonly type: "parsed"; readonly by: string; readonly done: number; readonly of: number }
  | { readonly type: "again"; readonly by: string; readonly why: string }
  | { readonly type: "summary"; readonly summary: AtlasSummary };

const PARSER = new URL("./parser.actor.js", import.meta.url);
const DAY_MS = 86_400_000;
const AGAIN_AFTER_MS = 100;
/** Batches under way to each parser: one is parsed while the next is on its way. */
const AT_ONCE = 2;

const args = JSON.parse(process.argv[2]) as NodeArgs;
const tell = (news: NodeNews): void => void process.send?.(news);

// Restarts of what runs on a node that is gone fail until it is back.
const system = await startSystem({ name: `atlas-${args.node}`, intensity: 10_000, periodMs: 60_000, logger: false });
process.once("disconnect", () => process.exit(0));
process.on("message", async () => {
  await system.stop();
  process.disconnect?.();
});
const cluster = await joinCluster(system, {
  cluster: args.cluster,
  node: args.node,
  servers: args.servers,
  offers: { parser: PARSER },
  allow: { start: ["a"], observe: ["a"] },
  // A node that is killed is back within seconds, instead of half a minute.
  heartbeatMs: 250,
  goneAfterMs: 500,
  downAfterMs: 4000,
  lease: { renewMs: 500, holdMs: 2000, takeOverMs: 3000 },
}).catch(failed);
tell({ type: "joined" });
if (args.node === "a") {
  if (args.observe !== undefined) await observe(args.observe);
  await giveOut();
}

async function observe(port: number): Promise<void> {
  const { startObserver } = await import("@mini-otp/metrics");
  const { url, token } = await startObserver(system, { port, nodes: cluster.observed }).catch(failed);
  tell({ type: "observed", url: `${url}/#token=${token}` });
}

async function giveOut(): Promise<void> {
  const tree = readTree(args.dir, () => {});
  const batches = batchesOf(tree, args.nodes.length);
  const all = batches.length;
  const collector = await system.startChild<typeof Collector>({
    id: "collector",
    actor: new URL("../code-atlas/collector.actor.js", import.meta.url),
    heapCapMb: 1024,
  });
  const result = collector.with({ timeoutMs: DAY_MS }).call("result", tree.files.length, tree.unreadable);
  const parserArgs = { root: tree.root, collector };
  const memory = memoryFor(tree.files.reduce((most, { bytes }) => Math.max(most, bytes), 0));
  await system.startChild<typeof Parser>({ id: "parser-a", actor: PARSER, args: parserArgs, ...memory });
  const others = args.nodes.filter((node) => node !== "a");
  await Promise.all(others.map((node) => up(node)));
  for (const node of others) {
    const backoff = { minMs: 200, maxMs: 1000 };
    await system.startChild(
      remote<typeof Parser>({ id: `parser-${node}`, offer: "parser", on: { node }, args: parserArgs, backoff }),
    );
  }
  let done = 0;
  const feed = async (node: string): Promise<void> => {
    while (done < all) {
      const batch = batches.shift();
      if (batch === undefined) {
        // One that another has may come back.
        await pause();
        continue;
      }
      try {
        const parser = system.child<ActorRef<typeof Parser>>(`parser-${node}`);
        if (parser === undefined) throw new Error("it is being started again");
        await parser.with({ timeoutMs: 120_000 }).call("parse", batch);
        tell({ type: "parsed", by: node, done: ++done, of: all });
      } catch (error) {
        batches.push(batch);
        tell({ type: "again", by: node, why: (error as { code?: string }).code ?? String(error) });
        await pause();
      }
    }
  };
  await Promise.all(args.nodes.flatMap((node) => Array.from({ length: AT_ONCE }, () => feed(node))));
  tell({ type: "summary", summary: await result });
}

/** What is said on the command line does not work out: the process that has started this one says so, and ends it. */
function failed(error: unknown): Promise<never> {
  const { code = "", message, port } = error as NodeJS.ErrnoException & { port?: number };
  tell({ type: "failed", code, message, port });
  return new Promise(() => {});
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
}

function up(node: string): Promise<void> {
  return new Promise((resolve) => {
    const off = cluster.on("node_up", (up) => {
      if (up.node !== node) return;
      off();
      resolve();
    });
    if (cluster.nodes().some((other) => other.node === node)) resolve();
  });
}
