// This broker and aedes under the same load, in turn. Usage: node compare.js [--connections N] [--tokens N] [--seconds N]
// [--rounds N] [--qos 0|1]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const argv = process.argv.slice(2);
const { values } = parseArgs({
  args: argv[0] === "--" ? argv.slice(1) : argv,
  options: {
    connections: { type: "string", default: "5000" },
    tokens: { type: "string", default: "500" },
    seconds: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
    qos: { type: "string", default: "1" },
  },
});

interface Row {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly connectMs: number;
  readonly rssMb: number;
}

const file = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const CONTENDERS = [
  { name: "mini-otp", args: [file("main"), "0"] },
  { name: "aedes", args: [file("aedes")] },
];

function start(args: readonly string[]): { child: ChildProcess; line(word: string): Promise<string> } {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async line(word) {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`${args[0]} has ended before it said "${word}"`);
        if (value.startsWith(word)) return value.slice(word.length).trim();
      }
    },
  };
}

/** By the kernel: of all threads together. */
function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

async function round(args: readonly string[]): Promise<Row> {
  const broker = start(args);
  try {
    const port = (await broker.line("listening on")).split(":")[1];
    const { connections, tokens, seconds, qos } = values;
    const load = start([file("load"), port, connections, tokens, seconds, qos]);
    try {
      const done = JSON.parse(await load.line("done"));
      return { ...done, rssMb: residentMb(broker.child.pid as number) };
    } finally {
      load.child.kill();
    }
  } finally {
    const ended = once(broker.child, "exit");
    broker.child.kill();
    await ended;
  }
}

const load = loadavg()[0].toFixed(1);
console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}, load before ${load}`);
console.log(`${values.connections} connections, ${values.tokens} messages under way, QoS ${values.qos}`);
const rows = new Map<string, Row[]>(CONTENDERS.map(({ name }) => [name, []]));
for (let i = 0; i < Number(values.rounds); i++) {
  for (const { name, args } of CONTENDERS) rows.get(name)?.push(await round(args));
}
const middle = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1];
for (const [name, list] of rows) {
  const shown = (key: keyof Row, unit: string, digits = 0): string => {
    const all = list.map((row) => row[key]);
    const [median, least, most] = [middle(all), Math.min(...all), Math.max(...all)].map((n) => n.toFixed(digits));
    return `${median} ${unit} (${least} – ${most})`;
  };
  console.log(`  ${name}`);
  console.log(`    ${shown("perSecond", "messages/s")}`);
  console.log(`    p50 ${shown("p50Ms", "ms", 1)}, p99 ${shown("p99Ms", "ms", 1)}`);
  console.log(`    connected in ${shown("connectMs", "ms")}, resident ${shown("rssMb", "MB")}`);
}
const ours = rows.get("mini-otp") as Row[];
const theirs = rows.get("aedes") as Row[];
const ratios = ours.map(({ perSecond }, i) => perSecond / theirs[i].perSecond);
console.log(
  `mini-otp / aedes, messages/s, round by round: ${middle(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)})`,
);
