import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../machine.js";
import { median, quantile } from "../statistics.js";
import { Nodes } from "./nodes.js";

const USAGE = `Usage: node bench/dist/cluster/main.js [--rounds N] [--only TEXT] [--record]

Two nodes in two processes over one nats-server, in alternating rounds beside nats.js alone.

  --rounds N   rounds of each (default 7), after eight that do not count
  --only TEXT  only what has this in its name
  --record     writes bench/results/cluster.json`;

const COUNTERS = 10;
const STUCK_MS = 8000;
const IDLE_MS = 10_000;
/** V8 goes on compiling for the first million messages: in the threads of both nodes, and where nats.js runs alone. */
const WARM_UP_ROUNDS = 8;

const MAIN_COSTS = [
  ["a small object", 200_000, 0],
  ["1 KB", 100_000, 1024],
  ["64 KB", 3000, 64 * 1024],
] as const;

interface Case {
  readonly name: string;
  /** What it is compared with, where that is not nats.js. */
  readonly beside?: string;
  readonly unit: string;
  /** What the ratio of ours to nats.js's is to be: at least or at most. */
  readonly gate: { readonly atLeast: number } | { readonly atMost: number };
  raw(nodes: Nodes): Promise<number>;
  ours(nodes: Nodes): Promise<number>;
}

const middle = (times: Float64Array): number => quantile(times.toSorted(), 0.5);
const casts = (name: string, count: number, bytes: number, atLeast: number): Case => ({
  name,
  unit: "/s",
  gate: { atLeast },
  raw: (nodes) => nodes.published(count, bytes === 0 ? 32 : bytes),
  ours: (nodes) => nodes.cast(count, bytes),
});

const CASES: readonly Case[] = [
  casts("small casts, against publish to subscribe", 100_000, 0, 0.8),
  casts("casts of 1 KB", 50_000, 1024, 0.6),
  casts("casts of 64 KB", 2000, 64 * 1024, 0.4),
  {
    name: "one call at a time (median), against request",
    unit: " µs",
    gate: { atMost: 2 },
    raw: async (nodes) => middle(await nodes.requested(1500)),
    ours: async (nodes) => middle(await nodes.called(1500)),
  },
  {
    name: "256 calls under way, against requests",
    unit: "/s",
    gate: { atLeast: 3 },
    raw: (nodes) => nodes.requestedAtOnce(20_000, 256),
    ours: (nodes) => nodes.calledAtOnce(40_000, 256),
  },
  // Each message to what moves is answered, so that it comes to the next owner when one refuses it.
  {
    name: "small casts to a singleton, against those to an actor",
    beside: "an actor",
    unit: "/s",
    gate: { atLeast: 0.05 },
    raw: (nodes) => nodes.cast(20_000, 0),
    ours: (nodes) => nodes.cast(20_000, 0, [nodes.singleton]),
  },
  {
    name: "small casts to 16 entities of 4 shards, against those to 4 actors",
    beside: "4 actors",
    unit: "/s",
    gate: { atLeast: 0.05 },
    raw: (nodes) => nodes.cast(20_000, 0, nodes.counters.slice(0, 4)),
    ours: (nodes) => nodes.cast(20_000, 0, nodes.entities),
  },
  {
    name: "256 calls of a singleton under way, against those of an actor",
    beside: "an actor",
    unit: "/s",
    gate: { atLeast: 0.1 },
    raw: (nodes) => nodes.calledAtOnce(20_000, 256),
    ours: (nodes) => nodes.calledAtOnce(20_000, 256, nodes.singleton),
  },
];

interface Row {
  readonly name: string;
  readonly beside?: string | undefined;
  readonly raw: number | undefined;
  readonly ours: number;
  readonly unit: string;
  readonly ratio: number;
  /** The lowest and the highest of the rounds' ratios. */
  readonly spread?: readonly [number, number];
  readonly gate: Case["gate"];
}

async function compared(nodes: Nodes, one: Case, rounds: number): Promise<Row> {
  const { name, beside, unit, gate, raw, ours } = one;
  const theirs: number[] = [];
  const mine: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const isFirst = round % 2 === 0;
    const theirsFirst = isFirst ? await raw(nodes) : undefined;
    const my = await ours(nodes);
    const their = theirsFirst ?? (await raw(nodes));
    if (round < 0) continue;
    theirs.push(their);
    mine.push(my);
  }
  const ratios = mine.map((value, i) => value / theirs[i]);
  return {
    name,
    beside,
    unit,
    gate,
    raw: median(theirs),
    ours: median(mine),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

async function stuck(nodes: Nodes): Promise<Row> {
  const nine = nodes.counters.slice(1);
  const count = 45_000;
  await nodes.cast(count, 0, nine);
  const before = median([
    await nodes.cast(count, 0, nine),
    await nodes.cast(count, 0, nine),
    await nodes.cast(count, 0, nine),
  ]);
  const hung = await nodes.stick(nodes.counters[0], STUCK_MS);
  const after = median([
    await nodes.cast(count, 0, nine),
    await nodes.cast(count, 0, nine),
    await nodes.cast(count, 0, nine),
  ]);
  await hung;
  const name = "nine receivers beside one that does not read, against before";
  return { name, unit: "/s", gate: { atLeast: 0.8 }, raw: before, ours: after, ratio: after / before };
}

async function idle(nodes: Nodes): Promise<Row> {
  const share = await nodes.idleShare(IDLE_MS);
  return {
    name: "share of a core of an idle node",
    unit: "",
    gate: { atMost: 0.01 },
    raw: undefined,
    ours: share,
    ratio: share,
  };
}

/** The gateway runs there: what else main does waits so long for each message, and the other way round. */
async function mainCosts(nodes: Nodes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, count, bytes] of MAIN_COSTS) {
    await nodes.mainCost(count, bytes);
    const costs = await nodes.mainCost(count, bytes);
    for (const [i, side] of ["sender", "receiver"].entries()) {
      const name = `main's CPU for a cast of ${what}, at its ${side}`;
      rows.push({
        name,
        unit: " µs",
        gate: { atMost: bytes < 4096 ? 20 : 500 },
        raw: undefined,
        ours: costs[i],
        ratio: costs[i],
      });
    }
  }
  return rows;
}

function isMet({ gate, ratio }: Row): boolean {
  return "atLeast" in gate ? ratio >= gate.atLeast : ratio <= gate.atMost;
}

function lineOf(row: Row): string {
  const { name, beside: peer = "nats.js", raw, ours, unit, ratio, spread, gate } = row;
  const show = (value: number): string => (value < 1 ? value.toFixed(4) : Math.round(value).toLocaleString("en-US"));
  const limit = "atLeast" in gate ? `≥ ${gate.atLeast}` : `≤ ${gate.atMost}`;
  const range = spread === undefined ? "" : ` (${spread.map((value) => value.toFixed(2)).join(" – ")})`;
  const beside = raw === undefined ? "" : `${peer} ${show(raw)}${unit}, `;
  return `${isMet(row) ? "ok  " : "MISS"} ${name}: ${beside}mini-otp ${show(ours)}${unit}: ${ratio.toFixed(raw === undefined ? 4 : 2)}${range} (${limit})`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      only: { type: "string", default: "" },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const startedAt = new Date();
  const machine = await describeMachine();
  console.log(machineLine(machine));
  const rows: Row[] = [];
  const say = (row: Row): void => {
    rows.push(row);
    console.log(lineOf(row));
  };
  {
    await using nodes = await Nodes.start(COUNTERS);
    const wanted = (name: string): boolean => name.includes(values.only);
    for (const one of CASES) if (wanted(one.name)) say(await compared(nodes, one, rounds));
    if (wanted("nine receivers")) say(await stuck(nodes));
    if (wanted("idle")) say(await idle(nodes));
    if (wanted("main's CPU") && process.platform === "linux") for (const row of await mainCosts(nodes)) say(row);
  }
  const [loadAfter] = loadavg();
  console.log(
    `load after ${loadAfter.toFixed(2)}: with other work on the machine the ratios are lower, and differ more`,
  );
  if (!values.record) return;
  const file = new URL("../../results/cluster.json", import.meta.url);
  const report = { startedAt, machine, rounds, loadAfter, rows };
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

await main();
