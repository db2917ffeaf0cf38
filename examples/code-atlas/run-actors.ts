import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import type { AtlasSummary } from "./atlas.js";
import type Collector from "./collector.actor.js";
import { planFaults } from "./fault-plan.js";
import type Feeder from "./feeder.actor.js";
import type Parser from "./parser.actor.js";
import type { Survey } from "./survey.js";

export interface ActorRunOptions {
  readonly root: string;
  readonly survey: Survey;
  readonly parsers: number;
  readonly faults: boolean;
  readonly parserHeapCapMb: number;
  readonly parserOffHeapCapMb: number;
  /** Files and bytes that the collector has, about every 100 ms. */
  readonly onProgress: (done: { files: number; bytes: number }) => void;
  /** The port of a live page of the run, 0 for any; undefined for no page. */
  readonly observe: number | undefined;
  /** Where the page is, once it is there. */
  readonly onObserver: (url: string) => void;
  readonly onRestart: (actor: string, reason: string) => void;
}

export interface ActorRun {
  readonly summary: AtlasSummary;
  readonly seconds: number;
  /** Exit reason to the number of restarts it caused. */
  readonly restarts: Readonly<Record<string, number>>;
}

const PROGRESS_MS = 100;
/** No file takes so long. */
const BATCH_TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;

/**
 * Indexes the tree with a feeder, `parsers` parsers and a collector, each in a thread of its own. The time runs from
 * before the first thread is started until the digest is there.
 *
 * Rejects when a batch is given up or the restarts get out of hand.
 */
export async function indexWithActors(options: ActorRunOptions): Promise<ActorRun> {
  const { root, survey, parsers } = options;
  const plans = planFaults(parsers, options.faults ? survey.batches : 0);
  const started = performance.now();
  await using system = await startSystem({
    name: "code-atlas",
    intensity: 10,
    periodMs: 60_000,
    logger: false,
  });
  const { observe: port } = options;
  await using observer = port === undefined ? undefined : await observe(system, port);
  if (observer !== undefined) options.onObserver(`${observer.url}/#token=${observer.token}`);

  const restarts = new Map<string, number>();
  let fail!: (error: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  system.on("actor_restarted", ({ id, reason }) => {
    restarts.set(reason.kind, (restarts.get(reason.kind) ?? 0) + 1);
    options.onRestart(id, reason.kind);
  });
  system.on("dead_letter", ({ id, method, reason }) => {
    fail(new Error(`${id} gave up on "${method}": ${reason?.kind ?? "no deliveries left"}`));
  });
  system.on("supervisor_escalated", ({ id, reason }) => {
    fail(new Error(`${id} gave up: ${reason.kind}`));
  });

  const actor = (name: string) => new URL(`./${name}.actor.js`, import.meta.url);
  const collector = await system.startChild<typeof Collector>({
    id: "collector",
    actor: actor("collector"),
    heapCapMb: 1_024,
    handlerTimeoutMs: BATCH_TIMEOUT_MS,
    mailbox: { capacityBytes: 4 * 1024 * 1024, blockTimeoutMs: BATCH_TIMEOUT_MS },
  });
  const parserRefs = await Promise.all(
    plans.map((faults, index) =>
      system.startChild<typeof Parser>({
        id: `parser-${index + 1}`,
        actor: actor("parser"),
        args: { root, index, collector, faults },
        heapCapMb: options.parserHeapCapMb,
        offHeapCapMb: options.parserOffHeapCapMb,
        handlerTimeoutMs: BATCH_TIMEOUT_MS,
        maxDeliveries: Math.max(3, faults.length + 1),
        mailbox: { capacity: 8 },
      }),
    ),
  );
  const feeder = await system.startChild<typeof Feeder>({
    id: "feeder",
    actor: actor("feeder"),
    args: { root, limits: survey.limits, parsers: parserRefs, collector },
    restart: "transient",
    maxDeliveries: 3,
  });

  const stopPolling = poll(collector, options.onProgress);
  try {
    await feeder.cast("start");
    const result = collector.with({ timeoutMs: DAY_MS }).call("result");
    const summary = await Promise.race([result, failed]);
    const seconds = (performance.now() - started) / 1_000;
    return { summary, seconds, restarts: Object.fromEntries([...restarts].sort()) };
  } finally {
    stopPolling();
  }
}

function poll(collector: ActorRef<typeof Collector>, onProgress: ActorRunOptions["onProgress"]) {
  let asking = false;
  const timer = setInterval(async () => {
    if (asking) return;
    asking = true;
    // A collector that does not answer fails the call for the result, which is waited for.
    await collector.call("progress").then(onProgress, () => {});
    asking = false;
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}

/** Loaded only when it is asked for: a run that nobody looks at is not to pay for it. */
async function observe(system: ActorSystem, port: number) {
  const { startObserver } = await import("@mini-otp/metrics");
  return startObserver(system, { port });
}
