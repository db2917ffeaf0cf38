import { type ChildSpec, dynamicSupervisor, pool, resource, router, supervisor } from "@mini-otp/runtime";
import { type Cell, SUBJECT, until, WORK } from "./cell.js";

export type Kind = "actor" | "router" | "pool" | "supervisor" | "dynamic" | "resource";

/** Brings `t` into the state; returns what `t`'s reference is then. */
export type Enter = (cell: Cell) => Promise<unknown>;

const NEVER_SOON = { minMs: 60_000, maxMs: 60_000 };
/** Tasks wait for the pool's next incarnation, however long that takes. */
const SOON = { minMs: 500, maxMs: 500 };
/** Some 60 ms of an event loop that is idle: as long as a thread takes to start. */
const MOST_TURNS = 50_000;
const boom = { kind: "error", error: new Error("boom") } as const;

interface Wants {
  readonly startWaitsFrom?: number;
  readonly stopWaits?: boolean;
  readonly backoff?: object;
  readonly temporary?: boolean;
}

function specOf(kind: Kind, { gate }: Cell, wants: Wants): ChildSpec {
  const { startWaitsFrom = Infinity, stopWaits = false, backoff, temporary = false } = wants;
  const restart = temporary ? ("temporary" as const) : ("permanent" as const);
  const common = { id: "t", restart, ...(backoff === undefined ? {} : { backoff }) };
  const args = { gate, startWaitsFrom, stopWaits };
  const member = { actor: SUBJECT, args, mailbox: { capacity: 4, blockTimeoutMs: 200 } };
  const child = { id: "c", ...member };
  switch (kind) {
    case "actor":
      return { ...common, ...member };
    case "router":
      return router({ ...common, ...member, size: 2, route: "round_robin", intensity: 0, shutdown: 5000 });
    case "pool":
      return pool({
        ...common,
        filename: WORK,
        maxThreads: 1,
        maxQueue: 2,
        workerData: { gate, loadWaits: startWaitsFrom === 1 },
      });
    case "supervisor":
      return supervisor({ ...common, intensity: 0, children: [child] });
    case "dynamic":
      return dynamicSupervisor({ ...common, intensity: 0, template: child });
    case "resource": {
      const waits = async (): Promise<void> => until("the gate", () => Atomics.load(gate, 0) === 1);
      return resource({
        ...common,
        start: async ({ fail, incarnation }) => {
          if (incarnation >= startWaitsFrom) await waits();
          return { fail };
        },
        stop: async () => {
          if (stopWaits) await waits();
        },
      });
    }
  }
}

const statusOf = ({ supervisor }: Cell): string | undefined =>
  supervisor.whichChildren().find(({ id }) => id === "t")?.state;

const start = (cell: Cell, kind: Kind, wants: Wants = {}): Promise<any> =>
  cell.supervisor.startChild(specOf(kind, cell, wants));

/** Ends what runs, so that its supervisor restarts it. */
async function fail(cell: Cell, kind: Kind, ref: any): Promise<void> {
  switch (kind) {
    case "supervisor":
      return cell.system.exit(ref.child("c"), "kill");
    case "dynamic":
      return cell.system.exit(await ref.startChild({}), "kill");
    case "resource":
      return ref.fail(boom.error);
    default:
      return cell.system.exit(ref, "kill");
  }
}

async function between(cell: Cell, kind: Kind, wants: Wants): Promise<unknown> {
  const ref = await start(cell, kind, wants);
  await fail(cell, kind, ref);
  await until("restarting", () => statusOf(cell) === "restarting");
  return ref;
}

async function held(cell: Cell, kind: Kind): Promise<any> {
  const ref = await start(cell, kind);
  if (kind === "pool") cell.open.push(ref.run(0, { name: "hold" }));
  else for (let i = 0; i < (kind === "router" ? 2 : 1); i++) await ref.cast("hold");
  return ref;
}

const upgraded = (cell: Cell, ref: any): unknown =>
  cell.open.push(cell.system.upgrade(ref, SUBJECT, { timeoutMs: 5000 }));

/** The states there are of every kind. */
const OF_ALL: Record<string, (kind: Kind) => Enter> = {
  running: (kind) => (cell) => start(cell, kind),
  stopped: (kind) => async (cell) => {
    const ref = await start(cell, kind);
    await cell.supervisor.terminateChild("t");
    return ref;
  },
  gone: (kind) => async (cell) => {
    const ref = await start(cell, kind, { temporary: true });
    await cell.supervisor.terminateChild("t");
    return ref;
  },
  waiting: (kind) => (cell) => between(cell, kind, { backoff: kind === "pool" ? SOON : NEVER_SOON }),
  stopping: (kind) => async (cell) => {
    const ref = kind === "pool" ? await held(cell, kind) : await start(cell, kind, { stopWaits: true });
    cell.open.push(cell.supervisor.terminateChild("t"));
    return ref;
  },
  starting: (kind) => async (cell) => {
    cell.open.push(start(cell, kind, { startWaitsFrom: 1 }));
    await until("starting", () => statusOf(cell) === "restarting" || kind === "dynamic");
    return cell.supervisor.child("t");
  },
  restarting: (kind) => (cell) => between(cell, kind, { startWaitsFrom: 2, backoff: { minMs: 1, maxMs: 1 } }),
};

const OF_ACTORS: Record<string, (kind: Kind) => Enter> = {
  suspended: (kind) => async (cell) => {
    const ref = await start(cell, kind);
    await cell.system.suspend(ref);
    return ref;
  },
  busy: (kind) => (cell) => held(cell, kind),
  upgrading: (kind) => async (cell) => {
    const ref = await held(cell, kind);
    upgraded(cell, ref);
    return ref;
  },
  "between two threads": (kind) => async (cell) => {
    const ref = await start(cell, kind);
    upgraded(cell, ref);
    for (let turns = MOST_TURNS * cell.random(); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    return ref;
  },
  full: (kind) => async (cell) => {
    const ref = await held(cell, kind);
    while (ref.tryCast("echo", 0) === "ok");
    return ref;
  },
};

const OF_ROUTERS: Record<string, (kind: Kind) => Enter> = {
  shrinking: (kind) => async (cell) => {
    const ref = await held(cell, kind);
    cell.open.push(ref.resize(1));
    return ref;
  },
};

const OF_POOLS: Record<string, (kind: Kind) => Enter> = {
  busy: (kind) => (cell) => held(cell, kind),
  full: (kind) => async (cell) => {
    const ref = await held(cell, kind);
    for (let i = 0; i < 2; i++) cell.open.push(ref.run(i));
    return ref;
  },
};

const MORE: Record<Kind, Record<string, (kind: Kind) => Enter>> = {
  actor: OF_ACTORS,
  router: { ...OF_ACTORS, ...OF_ROUTERS },
  pool: OF_POOLS,
  supervisor: {},
  dynamic: {},
  resource: {},
};

export function statesOf(kind: Kind): Record<string, Enter> {
  const states = Object.entries({ ...OF_ALL, ...MORE[kind] });
  // A dynamic supervisor has nothing to wait for when it starts; a pool's second start is like its first.
  const without = kind === "dynamic" ? ["starting", "restarting", "stopping"] : kind === "pool" ? ["restarting"] : [];
  return Object.fromEntries(states.filter(([name]) => !without.includes(name)).map(([name, of]) => [name, of(kind)]));
}
