import { startSystem, supervisor } from "@mini-otp/runtime";
import fc from "fast-check";
import { ASKER, type Cell, openGate } from "./operations/cell.js";
import { operationsOf, tryOut } from "./operations/operations.js";
import { type Kind, statesOf } from "./operations/states.js";

/*
 * Each kind of thing, in each of its states, under each operation alone and two at a time. Takes the kinds, how many cells to try, and
 * a seed and operations to leave out; prints what is wrong, a line each, and the last line says how many cells there were.
 */

const [kinds, count, seed] = [process.argv[2].split(","), Number(process.argv[3]), Number(process.argv[4])];
/** Operations that are left out. */
const without = process.argv.slice(5);
const AT_A_TIME = 6;
/** Of the operations none takes longer than 5 s by itself, and the machine may be busy. */
const DEADLINE_MS = 30_000;

interface Plan {
  readonly kind: Kind;
  readonly state: string;
  readonly operations: readonly string[];
}

const all: Plan[] = kinds.flatMap((name) => {
  const kind = name as Kind;
  const operations = Object.keys(operationsOf(kind)).filter((operation) => !without.includes(operation));
  const sets = operations.flatMap((one, i) => [[one], ...operations.slice(i).map((other) => [one, other])]);
  return Object.keys(statesOf(kind)).flatMap((state) => sets.map((operations) => ({ kind, state, operations })));
});
const random = fc.sample(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), {
  numRuns: 1,
  seed,
})[0];
const next = (): number => random.next().value as number;
for (let i = all.length - 1; i > 0; i--) {
  const j = Math.floor(next() * (i + 1));
  [all[i], all[j]] = [all[j], all[i]];
}
const plans = all.slice(0, count);

const system = await startSystem({ logger: false, intensity: 1, spares: 4 });
const bystander = await system.startChild<any>({ id: "bystander", actor: ASKER });
await system.startChild(supervisor({ id: "askers", intensity: 1000, children: [] }));
let number = 0;
let wrong = 0;

function complain(what: string): void {
  wrong++;
  console.log(what);
}

async function within<T>(what: string, doing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not settled`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([doing, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt({ kind, state, operations }: Plan): Promise<void> {
  const id = `cell-${++number}`;
  const label = `${kind} ${state}: ${operations.join(" beside ")}:`;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const above = await system.startChild(supervisor({ id, intensity: 20, periodMs: 60_000, children: [] }));
  const asker = await (system.child("askers") as typeof above).startChild<any>({ id, actor: ASKER });
  const open: Promise<unknown>[] = [];
  const bare = { system, supervisor: above, asker, gate, open, random: next };
  let exits = 0;
  const off = system.on("supervisor_escalated", (event) => event.id === above.id && exits++);
  try {
    const ref = await within(`${state}`, statesOf(kind)[state]({ ...bare, ref: undefined }));
    const cell: Cell = { ...bare, ref };
    const described = operationsOf(kind);
    const outcomes = operations.map((operation) => ({ operation, outcome: tryOut(cell, described[operation]) }));
    for (const left of open) left.catch(() => {});
    // Some of them are to be caught in the state, some in its end.
    for (let turns = Math.floor(next() * 4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    openGate(gate);
    // What waits for a handler that a suspended actor does not run waits for its resume.
    if (operations.includes("suspend") || state === "suspended") {
      for (const { outcome, operation } of outcomes) if (operation === "suspend") await within(operation, outcome);
      await resumed(ref);
    }
    for (const { operation, outcome } of outcomes) {
      const failure = await within(operation, outcome);
      if (failure !== undefined) complain(`${label} ${operation} ${failure}`);
    }
    await within(`what led to ${state}`, Promise.allSettled(open));
    check(label, above.id);
    if (exits > 0) complain(`${label} its supervisor has given up`);
    await within(
      "the bystander's answer",
      bystander.call("callSync", asker).then(() => {}),
    );
    await within("terminateChild of the cell", system.terminateChild(id));
    await within("deleteChild of the cell", system.deleteChild(id));
  } catch (error) {
    complain(`${label} ${(error as Error).stack}`);
  } finally {
    off();
    openGate(gate);
    await (system.child("askers") as typeof above).terminateChild(id).catch(() => {});
    await (system.child("askers") as typeof above).deleteChild(id).catch(() => {});
  }
}

async function resumed(ref: unknown): Promise<void> {
  for (let i = 0; i < 2; i++) await system.resume(ref as any).catch(() => {});
}

/** The tree is what the supervisor says of its children. */
function check(label: string, path: string): void {
  const node = system.tree().children?.find(({ id }) => id === path);
  const at = system.child(path.slice("root/".length));
  const told = at?.whichChildren().map((child: { id: string; state: string }) => `${child.id} ${child.state}`);
  const shown = node?.children?.toReversed().map((child) => `${child.id.slice(path.length + 1)} ${child.state}`);
  if (JSON.stringify(told) !== JSON.stringify(shown)) complain(`${label} ${told} is not ${shown}`);
}

/** Many at once, and in the middle of it the system is stopped: all of it settles. */
async function stopAmidst(plans: readonly Plan[]): Promise<Awaited<ReturnType<typeof system.stop>>> {
  const gates: Int32Array[] = [];
  const cells = plans.map(async ({ kind, state, operations }, i) => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    gates.push(gate);
    const above = await system.startChild(
      supervisor({ id: `last-${i}`, intensity: 20, periodMs: 60_000, children: [] }),
    );
    const open: Promise<unknown>[] = [];
    const bare = { system, supervisor: above, asker: bystander, gate, open, random: next };
    const ref = await within(state, statesOf(kind)[state]({ ...bare, ref: undefined }));
    return { kind, state, operations, cell: { ...bare, ref } satisfies Cell };
  });
  const settled: Promise<void>[] = [];
  for (const { kind, state, operations, cell } of await Promise.all(cells)) {
    for (const left of cell.open)
      settled.push(
        within(
          `what led to ${state}`,
          left.then(() => {}).catch(() => {}),
        ),
      );
    for (const operation of operations) {
      const outcome = tryOut(cell, operationsOf(kind)[operation]).then((failure) => {
        if (failure !== undefined) complain(`${kind} ${state}: ${operation} beside the system's stop: ${failure}`);
      });
      settled.push(within(`${kind} ${state}: ${operation} beside the system's stop`, outcome));
    }
  }
  const stopped = system.stop({ timeoutMs: 10_000 });
  for (const gate of gates) openGate(gate);
  for (const result of await Promise.allSettled(settled))
    if (result.status === "rejected") complain(String(result.reason));
  return within("stop", stopped);
}

const queue = [...plans];
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    for (let plan = queue.pop(); plan !== undefined; plan = queue.pop()) await attempt(plan);
  }),
);
const left = system.whichChildren().map(({ id }) => id);
if (left.join() !== "askers,bystander") complain(`left: ${left}`);
const report = await stopAmidst(plans.slice(0, 12));
if (report.zombie) complain(`stop has left a thread behind: ${JSON.stringify(report)}`);
const { threads, actors, zombies } = system.stats();
if (threads !== 0 || actors !== 0 || zombies.total !== 0) complain(`left behind: ${JSON.stringify(system.stats())}`);
console.log(`${plans.length} of ${all.length} cells, ${wrong} wrong`);
