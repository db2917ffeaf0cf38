// Jobs of a BullMQ queue run in a supervised pool: a job that hangs or eats memory fails alone, and SIGTERM loses none.
// Usage: node main.js <URL or socket of Redis>
import { handleSignals, isActorError, pool, resource, startSystem } from "@mini-otp/runtime";
import { type Job, UnrecoverableError, Worker } from "bullmq";
import { Redis } from "ioredis";
import type report from "./report.task.js";
import type { Order, Report } from "./report.task.js";

const [redis] = process.argv.slice(2);
if (redis === undefined) {
  console.error("usage: node main.js <URL or socket of Redis>");
  process.exit(2);
}

const system = await startSystem({ name: "reports" });
handleSignals(system);

const THREADS = 2;
const reports = await system.startChild(
  pool<typeof report>({
    id: "reports",
    filename: new URL("./report.task.js", import.meta.url),
    maxThreads: THREADS,
    heapCapMb: 64,
    taskTimeoutMs: 4_000,
  }),
);

async function handle({ data }: Job<Order, Report>, _token?: string, signal?: AbortSignal): Promise<Report> {
  try {
    // The signal is BullMQ's `cancelJob`: it ends the thread of a job that runs.
    return await reports.run(data, { ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!isActorError(error, "ERR_CALL_EXIT")) throw error;
    const { reason } = error;
    // The same job would do the same again. After any other exit BullMQ runs it again, as often as `attempts` says.
    if (reason.kind === "heap_cap_exceeded" || reason.kind === "unresponsive") {
      throw new UnrecoverableError(`the report is too much work: ${reason.kind}`);
    }
    throw error;
  }
}

// The last child to start is the first to stop: it takes no more jobs, and waits for those that the pool runs.
await system.startChild(
  resource({
    id: "worker",
    shutdown: 20_000,
    async start() {
      const connection = new Redis(redis, { maxRetriesPerRequest: null });
      // BullMQ connects again by itself. Without a listener an error of the connection would end the process.
      connection.on("error", (error) => console.error(`redis: ${error.message}`));
      // As many jobs as there are threads: the others wait in Redis, where other processes find them.
      const worker = new Worker<Order, Report>("reports", handle, { connection, concurrency: THREADS });
      worker.on("error", (error) => console.error(`worker: ${error.message}`));
      worker.on("completed", ({ id }) => console.log(`done ${id}`));
      await worker.waitUntilReady();
      return { worker, connection };
    },
    async stop({ worker, connection }) {
      await worker.close();
      connection.disconnect();
    },
  }),
);
console.log("ready");
