import { isActorError } from "@mini-otp/runtime";
import type { Cell } from "./cell.js";
import { SUBJECT } from "./cell.js";
import type { Kind } from "./states.js";

export type Operation = (cell: Cell) => unknown;

const CALL = ["ERR_NOPROC", "ERR_CALL_EXIT", "ERR_CALL_TIMEOUT", "ERR_MAILBOX_FULL", "ERR_SYSTEM_STOPPED"];
const CONTROL = ["ERR_NOPROC", "ERR_CALL_EXIT", "ERR_CALL_TIMEOUT", "ERR_SYSTEM_STOPPED"];
const STARTED = ["ERR_NOPROC", "ERR_SYSTEM_STOPPED", "ERR_INIT_FAILED", "ERR_INIT_TIMEOUT", "ERR_NOT_FOUND"];
const ADMINISTERED = ["ERR_NOPROC", "ERR_SYSTEM_STOPPED", "ERR_NOT_FOUND", "ERR_RUNNING", "ERR_RESTARTING"];
const UPGRADED = [
  "ERR_INIT_FAILED",
  "ERR_INIT_TIMEOUT",
  "ERR_CALL_EXIT",
  "ERR_RUNNING",
  "ERR_NOPROC",
  "ERR_SYSTEM_STOPPED",
];

interface Described {
  /** What it may reject with. */
  readonly codes: readonly string[];
  readonly run: Operation;
}

/** What an actor in a thread of its own was told, as if it had been told here. */
async function fromThere(outcome: Promise<{ code?: string; name?: string; message?: string }>): Promise<void> {
  const { code, name, message } = await outcome;
  if (message !== undefined) throw Object.assign(new Error(message), { code, name });
}

const ON_CHILDREN: Record<string, Described> = {
  restartChild: { codes: [...ADMINISTERED, ...STARTED], run: ({ supervisor }) => supervisor.restartChild("t") },
  terminateChild: { codes: ADMINISTERED, run: ({ supervisor }) => supervisor.terminateChild("t") },
  deleteChild: { codes: ADMINISTERED, run: ({ supervisor }) => supervisor.deleteChild("t") },
  "startChild of its id": {
    codes: [...STARTED, "ERR_ALREADY_STARTED", "ERR_ALREADY_PRESENT"],
    run: ({ supervisor, gate }) => supervisor.startChild({ id: "t", actor: SUBJECT, args: { gate } }),
  },
  "terminate its supervisor": {
    codes: ADMINISTERED,
    run: ({ system, supervisor }) => system.terminateChild(supervisor.id.slice("root/".length)),
  },
  "restart its supervisor": {
    codes: [...ADMINISTERED, ...STARTED],
    run: async ({ system, supervisor }) => {
      const id = supervisor.id.slice("root/".length);
      await system.terminateChild(id);
      await system.restartChild(id);
    },
  },
};

const ON_PROCESSES: Record<string, Described> = {
  "exit kill": { codes: [], run: ({ system, ref }) => system.exit(ref, "kill") },
  "exit shutdown": { codes: [], run: ({ system, ref }) => system.exit(ref, { kind: "shutdown" }) },
  monitor: { codes: [], run: ({ system, ref }) => system.monitor(ref, () => {}) },
  "monitor and link from an actor": { codes: CALL, run: ({ asker, ref }) => fromThere(asker.call("watch", ref)) },
  stats: { codes: ["ERR_NOPROC"], run: ({ system, ref }) => system.stats(ref) },
};

const ON_ACTORS: Record<string, Described> = {
  suspend: { codes: CONTROL, run: ({ system, ref }) => system.suspend(ref) },
  resume: { codes: CONTROL, run: ({ system, ref }) => system.resume(ref) },
  getState: { codes: CONTROL, run: ({ system, ref }) => system.getState(ref) },
  replaceState: { codes: CONTROL, run: ({ system, ref }) => system.replaceState(ref, { count: 1 }) },
  upgrade: { codes: UPGRADED, run: ({ system, ref }) => system.upgrade(ref, SUBJECT, { timeoutMs: 5000 }) },
  trace: {
    codes: ["ERR_NOPROC"],
    async run({ system, ref }) {
      const trace = system.trace(ref);
      const waiting = trace.next();
      await trace.return?.();
      await waiting;
    },
  },
  call: { codes: CALL, run: ({ ref }) => ref.with({ timeoutMs: 300 }).call("echo", 1) },
  cast: { codes: CALL, run: ({ ref }) => ref.cast("echo", 1) },
  tryCast: { codes: [], run: ({ ref }) => ref.tryCast("echo", 1) },
  send: { codes: CALL, run: ({ ref }) => ref.send("hello") },
  "call from an actor": { codes: CALL, run: ({ asker, ref }) => fromThere(asker.call("call", ref)) },
  "callSync from an actor": { codes: CALL, run: ({ asker, ref }) => fromThere(asker.call("callSync", ref)) },
};

const ON_ONE_ACTOR: Record<string, Described> = {
  heapSnapshot: {
    codes: CONTROL,
    async run({ system, ref }) {
      const snapshot = await system.heapSnapshot(ref);
      // Read to its end, or until the thread has gone under it.
      await new Promise((resolve) => snapshot.on("end", resolve).on("error", resolve).on("close", resolve).resume());
    },
  },
  cpuProfile: { codes: CONTROL, run: ({ system, ref }) => system.cpuProfile(ref, 5) },
};

const ON_ROUTERS: Record<string, Described> = {
  "resize to 1": { codes: [...STARTED, "ERR_CALL_EXIT"], run: ({ ref }) => ref.resize(1) },
  "resize to 3": { codes: [...STARTED, "ERR_CALL_EXIT"], run: ({ ref }) => ref.resize(3) },
  callAll: { codes: CALL, run: ({ ref }) => ref.with({ timeoutMs: 300 }).callAll("echo", 1) },
  broadcast: { codes: CALL, run: ({ ref }) => ref.broadcast("echo", 1) },
};

const ON_POOLS: Record<string, Described> = {
  run: { codes: CALL, run: ({ ref }) => ref.run(1) },
  "run, and give it up": {
    codes: [...CALL, "ERR_CALL_ABORTED"],
    run({ ref }) {
      const abort = new AbortController();
      const ran = ref.run(1, { signal: abort.signal });
      setTimeout(() => abort.abort(), 2);
      return ran;
    },
  },
  "run from an actor": { codes: CALL, run: ({ asker, ref }) => fromThere(asker.call("run", ref)) },
};

const ON_SUPERVISORS: Record<string, Described> = {
  startChild: {
    codes: [...STARTED, "ERR_ALREADY_STARTED", "ERR_ALREADY_PRESENT"],
    run: ({ ref, gate }) => ref.startChild({ id: "d", actor: SUBJECT, args: { gate } }),
  },
  "terminateChild of its child": { codes: ADMINISTERED, run: ({ ref }) => ref.terminateChild("c") },
  "restartChild of its child": { codes: [...ADMINISTERED, ...STARTED], run: ({ ref }) => ref.restartChild("c") },
  "deleteChild of its child": { codes: ADMINISTERED, run: ({ ref }) => ref.deleteChild("c") },
};

const OF: Record<Kind, readonly Record<string, Described>[]> = {
  actor: [ON_CHILDREN, ON_PROCESSES, ON_ACTORS, ON_ONE_ACTOR],
  router: [ON_CHILDREN, ON_PROCESSES, ON_ACTORS, ON_ROUTERS],
  pool: [ON_CHILDREN, ON_PROCESSES, ON_POOLS],
  supervisor: [ON_CHILDREN, ON_SUPERVISORS],
  dynamic: [ON_CHILDREN, ON_SUPERVISORS],
  resource: [ON_CHILDREN],
};

export function operationsOf(kind: Kind): Record<string, Described> {
  return Object.assign({}, ...OF[kind]);
}

/** Settles with undefined, or with what is wrong about how the operation ended. */
export async function tryOut(cell: Cell, { codes, run }: Described): Promise<string | undefined> {
  try {
    await run(cell);
    return undefined;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== undefined && codes.includes(code) && (isActorError(error) || !(error instanceof TypeError)))
      return undefined;
    return `rejected with ${String((error as Error)?.stack ?? error)}`;
  }
}
