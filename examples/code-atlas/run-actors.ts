import { type ActorSystem, startSystem } from "@mini-otp/runtime";
import { Atlas, type AtlasSummary } from "./atlas.js";
import type Collector from "./collector.actor.js";
import { FAULTS, faultsOf } from "./faults.js";
import type { Options } from "./options.js";
import { readFacts, SOURCE_LIMIT } from "./parse-file.js";
import type Parser from "./parser.actor.js";
import type { Progress } from "./progress.js";
import { batchesOf, type SourceTree } from "./source-tree.js";

/** No batch takes so long. */
const BATCH_TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;

/** The whole work on the calling thread: the same functions as the actors use, in a loop. */
export function indexAlone(tree: SourceTree, progress: Progress): AtlasSummary {
  const atlas = new Atlas();
  for (const file of tree.files) {
    atlas.add(readFacts(tree.root, file));
    progress.advance(file.bytes);
  }
  return atlas.summarize(tree.unreadable);
}

/**
 * The same with parsers and a collector, each in a thread of its own. `restarts` counts by exit reason.
 * Rejects when a batch is given up or the restarts get out of hand.
 */
export async function indexWithActors(
  tree: SourceTree,
  { parsers, faults, observe, heapCapMb }: Options,
  progress: Progress,
): Promise<{ summary: AtlasSummary; restarts: Record<string, number> }> {
  await using system = await startSystem({ name: "code-atlas", intensity: 10, periodMs: 60_000, logger: false });
  await using page = observe === undefined ? undefined : await openPage(system, observe);
  if (page !== undefined) progress.note(`observer: ${page.url}/#token=${page.token}`);

  const restarts: Record<string, number> = {};
  system.on("actor_restarted", ({ id, reason: { kind } }) => {
    restarts[kind] = (restarts[kind] ?? 0) + 1;
    progress.note(`${id} restarted: ${kind}`);
  });
  const failed = new Promise<never>((_, reject) => {
    system.on("dead_letter", ({ id, method, reason }) => {
      reject(new Error(`${id} gave up on "${method}": ${reason?.kind ?? "no deliveries left"}`));
    });
    system.on("supervisor_escalated", ({ id, reason }) => reject(new Error(`${id} gave up: ${reason.kind}`)));
  });
  failed.catch(() => {});

  const batches = batchesOf(tree, parsers);
  const memory = memoryFor(tree.files.reduce((most, { bytes }) => Math.max(most, bytes), 0));
  const collector = await system.startChild<typeof Collector>({
    id: "collector",
    actor: new URL("./collector.actor.js", import.meta.url),
    heapCapMb: 1_024,
    handlerTimeoutMs: BATCH_TIMEOUT_MS,
    mailbox: { capacityBytes: 4 * 1024 * 1024, blockTimeoutMs: BATCH_TIMEOUT_MS },
  });
  const started = Array.from({ length: parsers }, (_, index) =>
    system.startChild<typeof Parser>({
      id: `parser-${index + 1}`,
      actor: new URL("./parser.actor.js", import.meta.url),
      args: { root: tree.root, collector, faults: faults ? faultsOf(index, parsers, batches.length) : [] },
      heapCapMb: heapCapMb ?? memory.heapCapMb,
      offHeapCapMb: memory.offHeapCapMb,
      handlerTimeoutMs: BATCH_TIMEOUT_MS,
      maxDeliveries: Object.keys(FAULTS).length + 1,
      // One batch is parsed and the others wait.
      mailbox: { capacity: 4, blockTimeoutMs: BATCH_TIMEOUT_MS },
    }),
  );

  // One iterator for all: the parser whose mailbox has room takes the next batch, so a slow one holds up no other.
  const waiting = batches.values();
  const feeding = (await Promise.all(started)).map(async (parser) => {
    for (const batch of waiting) {
      await parser.cast("parse", batch);
      progress.advance(batch.reduce((sum, { bytes }) => sum + bytes, 0));
    }
  });
  const result = collector.with({ timeoutMs: DAY_MS }).call("result", tree.files.length, tree.unreadable);
  const [summary] = await Promise.race([Promise.all([result, ...feeding]), failed]);
  return { summary, restarts };
}

/**
 * For a parser that meets a file of so many bytes. On the heap there are the text, up to two bytes a byte, and an object
 * for each name. Outside it there is the syntax tree: wasm memory is 32 MiB from the start, never shrinks and is used
 * again; typescript.js (8.9 MB) took it to 250 MiB. Text that makes no sense takes up to 1 300 bytes for each of its
 * first 60 000.
 */
export function memoryFor(largestBytes: number): { heapCapMb: number; offHeapCapMb: number } {
  const largestMb = Math.min(largestBytes, SOURCE_LIMIT) / 1e6;
  return { heapCapMb: Math.ceil(32 + 24 * largestMb), offHeapCapMb: Math.ceil(256 + 64 * largestMb) };
}

/** Loaded only when it is asked for: a run without a page does not pay for it. */
async function openPage(system: ActorSystem, port: number) {
  const { startObserver } = await import("@mini-otp/metrics");
  return startObserver(system, { port });
}
