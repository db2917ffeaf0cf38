import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { randomFrom } from "../soak/random.js";
import { FaultyProxy } from "./faulty-proxy.js";
import type { SoakOptions } from "./fixtures/soak-node.js";
import { NatsServer } from "./nats-server.js";
import { NodeProcess } from "./node-process.js";
import { type Books, compareBooks, type Life } from "./soak-books.js";

export interface ClusterSoak extends Books {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: Readonly<Record<string, number>>;
}

const PROGRAM = new URL("./fixtures/soak-node.js", import.meta.url);
const NAMES = ["a", "b", "c"] as const;
const WINDOW = 512;
/** What waits in a sender's process: a ring, and one that is just sent. */
const RING = 1025;
/** Half of the defaults. */
const TIMES = {
  heartbeatMs: 500,
  goneAfterMs: 1000,
  downAfterMs: 4000,
  lease: { renewMs: 1000, holdMs: 4000, takeOverMs: 6000 },
};
const TICKS_PER_SECOND = 20;
const READY_MS = 60_000;

interface Running {
  readonly proxy: FaultyProxy;
  process: NodeProcess;
  life: Life;
}

/** Two records of three words for each message. */
async function sentIn(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((name) => name.startsWith("sent-"));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 24;
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/**
 * Three nodes over a nats-server, each through a network of its own that fails, send each other so many casts and calls in
 * about so many seconds, while nodes and the server are killed and stand still. Then the books are compared.
 */
export async function soakCluster(
  { casts, calls, seconds, seed }: { casts: number; calls: number; seconds: number; seed: number },
  tell: (line: string) => void = () => {},
): Promise<ClusterSoak> {
  const random = randomFrom(seed);
  const between = (least: number, most: number): number => least + random() * (most - least);
  const folder = await mkdtemp(join(tmpdir(), "mini-otp-soak-"));
  const lives: Life[] = [];
  const counts: Record<string, number> = {};
  const perTick = (all: number): number => Math.ceil(all / (seconds * TICKS_PER_SECOND * 6));
  await using server = await NatsServer.start();
  const nodes = new Map<string, Running>();

  const begin = async (node: string, proxy: FaultyProxy): Promise<void> => {
    const life: Life = { life: lives.length + 1, node, killedAt: Infinity, stoppedAt: [] };
    lives.push(life);
    const child = await NodeProcess.start(PROGRAM);
    nodes.set(node, { proxy, process: child, life });
    const nats = { cluster: "soak", node, servers: [proxy.url], window: { messages: WINDOW }, ...TIMES };
    const options: SoakOptions = { life: life.life, folder, nats, casts: perTick(casts), calls: perTick(calls) };
    await child.do("join", options);
  };
  const running = (node: string): Running => nodes.get(node) as Running;
  const connected = async (): Promise<void> => {
    const deadline = now() + READY_MS;
    for (const node of NAMES) {
      while ((await running(node).process.do("nodes")) !== NAMES.length - 1) {
        if (now() > deadline) throw new Error(`seed=${seed}: node ${node} does not see the others`);
        await delay(50);
      }
    }
  };

  const faults: Record<string, (node: Running) => Promise<void>> = {
    async kill({ process: child, life, proxy }) {
      life.killedAt = now();
      await child[Symbol.asyncDispose]();
      await delay(between(100, 2000));
      await begin(life.node, proxy);
    },
    async stand_still({ process: child, life }) {
      life.stoppedAt.push(now());
      child.signal("SIGSTOP");
      await delay(between(500, 2.5 * TIMES.downAfterMs));
      child.signal("SIGCONT");
    },
    async restart_nats() {
      await server.stop();
      await delay(between(100, 1500));
      await server.start();
    },
    async cut({ proxy }) {
      proxy.cut();
    },
    async cut_in_a_frame({ proxy }) {
      proxy.cutAfter(between(1, 100_000));
    },
    async delay({ proxy }) {
      proxy.delayMs = between(5, 100);
      await delay(between(200, 1000));
      proxy.delayMs = 0;
    },
    async half_open({ proxy }) {
      proxy.isHalfOpen = true;
      await delay(between(200, 1.5 * TIMES.downAfterMs));
      proxy.isHalfOpen = false;
      proxy.cut();
    },
  };

  try {
    for (const node of NAMES) await begin(node, await FaultyProxy.start(server.port));
    await connected();
    const endAt = now() + seconds * 1000;
    const kinds = Object.keys(faults);
    // A slow machine takes longer for as many.
    for (let i = 0; now() < endAt || (await sentIn(folder)) < casts + calls; i++) {
      await delay(between(500, 3000));
      // Each kind comes before one comes again.
      const kind = i < kinds.length ? kinds[(i + seed) % kinds.length] : kinds[Math.floor(random() * kinds.length)];
      const node = NAMES[Math.floor(random() * NAMES.length)];
      tell(`${kind} ${node}`);
      counts[kind] = (counts[kind] ?? 0) + 1;
      await faults[kind](running(node));
    }
    await connected();
    for (const node of NAMES) await running(node).process.do("end");
    for (const node of NAMES) await running(node).process.do("flush");
    const books = compareBooks(folder, lives, { window: WINDOW, ring: RING, holdMs: TIMES.lease.holdMs });
    if (books.violations.length === 0) await rm(folder, { recursive: true });
    else tell(`what the nodes have written down is in ${folder}`);
    return { seed, seconds, faults: counts, ...books };
  } finally {
    for (const { process: child, proxy } of nodes.values()) {
      await child[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    }
  }
}
