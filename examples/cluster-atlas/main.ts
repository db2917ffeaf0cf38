import { type ChildProcess, fork } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { AtlasSummary } from "../code-atlas/atlas.js";
import { checkFolder } from "../code-atlas/options.js";
import { Progress } from "../code-atlas/progress.js";
import { indexAlone } from "../code-atlas/run-actors.js";
import { readTree } from "../code-atlas/source-tree.js";
import { report, UsageError, wholeNumber, withObservePort } from "../command-line.js";
import { startNats } from "./nats-server.js";
import type { NodeArgs, NodeNews } from "./node.js";

const HELP = `Indexes every JavaScript and TypeScript file under DIR on three nodes of a cluster: three processes over a
nats-server, which this command starts. In the middle of the work it kills one of them with kill -9, and starts it again.
Then it does the same work on one thread, and compares.

Usage: start:cluster [DIR] [options]

  DIR               the tree to index (default: the packages that this project is built with)
  --no-kill         no node is killed
  --servers URL     a nats-server with JetStream that runs already
  --observe[=PORT]  a live page of all nodes while they run; its address is on stderr
  --json            one JSON object as the last line on stdout
  --help            this text

NATS_SERVER is the path of the nats-server, where it is in none of PATH's folders.
`;
const NODES = ["a", "b", "c"];
const VICTIM = "c";
const PROGRAM = new URL("./node.js", import.meta.url);

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = report("cluster-atlas", error);
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const { values, positionals } = parseArgs({
    args: withObservePort(argv[0] === "--" ? argv.slice(1) : argv),
    options: {
      "no-kill": { type: "boolean", default: false },
      servers: { type: "string" },
      observe: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const [given = ownPackages(), second] = positionals;
  if (second !== undefined) throw new UsageError(`more than one DIR: "${given}" and "${second}"`);
  const dir = resolve(cwd, given);
  checkFolder(dir, given);
  const observe = values.observe === undefined ? undefined : wholeNumber("--observe", values.observe, 0, 65_535);
  const progress = new Progress(process.stderr);
  await using server = values.servers === undefined ? await startNats() : undefined;
  const servers = values.servers === undefined ? [server?.url ?? ""] : values.servers.split(",");
  const run = await indexInCluster({ dir, servers, kills: !values["no-kill"], observe }, progress);
  const tree = readTree(dir, () => {});
  progress.begin("indexing on one thread", tree.bytes);
  const alone = indexAlone(tree, progress);
  progress.clear();
  const { summary, batches, kills, again } = run;
  const identical = summary.digest === alone.digest;
  const shown = { dir, nodes: NODES.length, batches, kills, again, ...summary, identical };
  process.stdout.write(values.json ? `${JSON.stringify(shown)}\n` : textOf(shown, alone.digest));
  return identical ? 0 : 1;
}

interface ClusterRun {
  readonly summary: AtlasSummary;
  /** By node. */
  readonly batches: Record<string, number>;
  readonly kills: number;
  /** Batches that were given to another node. */
  readonly again: number;
}

async function indexInCluster(
  {
    dir,
    servers,
    kills,
    observe,
  }: { dir: string; servers: readonly string[]; kills: boolean; observe: number | undefined },
  progress: Progress,
): Promise<ClusterRun> {
  const cluster = `atlas-${process.pid}`;
  const batches: Record<string, number> = Object.fromEntries(NODES.map((node) => [node, 0]));
  const processes = new Map<string, ChildProcess>();
  let [killed, again, isOver] = [0, 0, false];
  const ended: Promise<unknown>[] = [];
  try {
    const summary = await new Promise<AtlasSummary>((resolve, reject) => {
      const begin = (node: string): void => {
        const args: NodeArgs = { node, nodes: NODES, cluster, servers, dir, observe };
        const child = fork(PROGRAM, [JSON.stringify(args)]);
        processes.set(node, child);
        const exit = new Promise<void>((done) => child.once("exit", () => done()));
        ended.push(exit);
        child.on("message", (news: NodeNews) => heard(node, news));
        child.once("exit", (code, signal) => {
          if (isOver) return;
          if (node === VICTIM && signal === "SIGKILL") begin(node);
          else reject(new Error(`node ${node} has ended with ${signal ?? code}`));
        });
      };
      const heard = (node: string, news: NodeNews): void => {
        if (news.type === "failed") reject(failure(news));
        if (news.type === "joined") progress.note(`node ${node} has joined`);
        if (news.type === "observed") progress.note(`observer: ${news.url}`);
        if (news.type === "summary") resolve(news.summary);
        if (news.type === "again") again++;
        if (news.type !== "parsed") return;
        batches[news.by]++;
        if (news.done === 1) progress.begin("indexing on three nodes", news.of);
        progress.advance(1);
        // In the middle of the work, and of its own.
        if (!kills || killed > 0 || news.by !== VICTIM || news.done < news.of / 3) return;
        killed++;
        progress.note(`node ${VICTIM} is killed with kill -9`);
        processes.get(VICTIM)?.kill("SIGKILL");
      };
      for (const node of NODES) begin(node);
    });
    return { summary, batches, kills: killed, again };
  } finally {
    isOver = true;
    for (const child of processes.values()) {
      if (child.connected) child.send("stop");
    }
    const late = setTimeout(() => {
      for (const child of processes.values()) child.kill("SIGKILL");
    }, 10_000);
    await Promise.all(ended);
    clearTimeout(late);
    progress.clear();
  }
}

/** What a node has failed with is a mistake in what it was told, where a server, a name or a port is meant. */
function failure({ code, message, port }: NodeNews & { readonly type: "failed" }): Error {
  if (port !== undefined) return Object.assign(new Error(message), { code, port });
  return code.startsWith("ERR_") ? new UsageError(`--servers: ${message}`) : new Error(message);
}

function textOf(shown: ClusterRun["summary"] & Omit<ClusterRun, "summary"> & { identical: boolean }, alone: string) {
  const { files, bytes, batches, kills, again, digest, identical } = shown;
  const byNode = Object.entries(batches).map(([node, count]) => `${node} ${count}`);
  return `files      ${files}, ${(bytes / 1e6).toFixed(1)} MB
batches    ${byNode.join(", ")}
killed     ${kills} node${kills === 1 ? "" : "s"}; ${again} attempts were made again
digest     ${digest}
           ${identical ? "identical to that of one thread" : `NOT that of one thread, ${alone}`}
`;
}

/** What is there after an install, and not so large that the comparison on one thread takes long. */
function ownPackages(): string {
  return join(dirname(fileURLToPath(import.meta.url)), "../../../packages");
}
