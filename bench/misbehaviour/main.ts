// Shows what the same four faults do to main, to their neighbours and to their callers, in mini-otp and in libraries that run
// work in threads. Every fault has a process of its own, because it may end it.
// pnpm bench:misbehaviour [-- --node PATH … --only piscina … --fault map … --rounds 5 --record]
// --record keeps what was recorded of faults that are not tried this time.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FAULTS, type Fault } from "./work.js";

/** The result of one fault. A part is missing when the process ended before it was known. */
export interface Outcome {
  readonly library: string;
  readonly fault: Fault;
  /** Node's major version. */
  readonly node: number;
  /** How the faulty call, a call in the other thread, and later calls ended. */
  readonly caller?: string;
  readonly neighbour?: string;
  readonly next?: string;
  /** How the process ended, unless it lived to the end of the test. */
  readonly died?: string;
}

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
const RECORD = new URL("../../results/misbehaviour.json", import.meta.url);
const LIBRARIES = ["mini-otp", "piscina", "tinypool", "workerpool", "comlink"];
/** A process that has said nothing more for so long hangs. */
const LIMIT_MS = 40_000;

const argv = process.argv.slice(2).filter((arg) => arg !== "--");
const { values } = parseArgs({
  args: argv,
  options: {
    node: { type: "string", multiple: true, default: [process.execPath] },
    only: { type: "string", multiple: true, default: LIBRARIES },
    fault: { type: "string", multiple: true, default: Object.keys(FAULTS) },
    rounds: { type: "string", default: "1" },
    record: { type: "boolean", default: false },
  },
});
refuseUnless(values.only, LIBRARIES, "--only");
refuseUnless(values.fault, Object.keys(FAULTS), "--fault");
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds ${values.rounds}: a whole number from 1`);

const outcomes: Outcome[] = [];
for (const path of values.node) {
  const node = await majorOf(path);
  for (const library of values.only) {
    for (const fault of values.fault as Fault[]) {
      for (let round = 0; round < rounds; round++) {
        const outcome = { library, fault, node, ...(await look(path, library, fault)) };
        outcomes.push(outcome);
        console.log(JSON.stringify(outcome));
      }
    }
  }
}
if (values.record) {
  const kept = recorded().filter(({ fault }) => !values.fault.includes(fault));
  const record = { endedAt: new Date().toISOString(), outcomes: [...kept, ...outcomes] };
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
}

function recorded(): Outcome[] {
  if (!existsSync(RECORD)) return [];
  return (JSON.parse(readFileSync(RECORD, "utf8")) as { outcomes: Outcome[] }).outcomes;
}

function refuseUnless(given: readonly string[], known: readonly string[], option: string): void {
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(`${option} ${unknown.join(", ")}: there are ${known.join(", ")}`);
}

function refuse(why: string): never {
  console.error(`bench:misbehaviour: ${why}`);
  process.exit(2);
}

async function look(node: string, library: string, fault: Fault): Promise<Partial<Outcome>> {
  const { text, code, signal } = await output(node, [CHILD, library, fault]);
  const told = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { what: string; how: string });
  const parts = Object.fromEntries(told.map(({ what, how }) => [what, how.split("\n")[0]]));
  // The child kills itself when it has written everything.
  return parts.next === undefined ? { ...parts, died: signal ?? `exit code ${code}` } : parts;
}

async function majorOf(node: string): Promise<number> {
  const { text } = await output(node, ["-p", "process.versions.node"]);
  return Number.parseInt(text, 10);
}

function output(node: string, args: string[]): Promise<{ text: string; code: number | null; signal: string | null }> {
  const child = spawn(node, args, { stdio: ["ignore", "pipe", "ignore"], timeout: LIMIT_MS });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ text, code, signal }));
  });
}
