// An upload service under a steady load of good files, into which a zip bomb, a ReDoS and a file that asks for all memory
// come: how long the good ones take meanwhile. pnpm bench:uploads [-- --record], which draws docs/images/uploads.svg.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../machine.js";
import { BAD, GOOD } from "./files.js";
import { draw, type Mark, type Sample } from "./picture.js";

const SECONDS = 24;
const EVERY_MS = 10;
const WARM_UP_MS = 3_000;
const PICTURE = new URL("../../../docs/images/uploads.svg", import.meta.url);

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== "--"),
  options: { record: { type: "boolean", default: false } },
});

const machine = machineLine(await describeMachine());
const service = spawn(process.execPath, [fileURLToPath(new URL("./service.js", import.meta.url))], {
  stdio: ["ignore", "pipe", "inherit"],
});
const agent = new Agent({ keepAlive: true });
const samples: Sample[] = [];
const marks: Mark[] = [];
let port = 0;
const listening = new Promise<void>((resolve) => {
  createInterface(service.stdout).on("line", (line) => {
    const said = JSON.parse(line) as { port?: number; ended?: string };
    if (said.ended !== undefined) console.log(`${since().toFixed(2)} s: an actor ended: ${said.ended}`);
    if (said.port === undefined) return;
    port = said.port;
    resolve();
  });
});

let startedAt = performance.now();
const since = (): number => (performance.now() - startedAt) / 1_000;
await listening;
await load(WARM_UP_MS);
samples.length = 0;
startedAt = performance.now();

const bad = Object.entries(BAD).map(async ([name, file], i) => {
  await wait((i + 1) * (SECONDS / 4) * 1_000);
  const mark: Mark = { at: since(), name, status: 0, tookS: 0 };
  marks.push(mark);
  mark.status = await send(file);
  mark.tookS = since() - mark.at;
  console.log(`${name}: answered with ${mark.status} after ${mark.tookS.toFixed(2)} s`);
});
await load(SECONDS * 1_000);
await Promise.all(bad);
service.kill("SIGKILL");
agent.destroy();

const failed = samples.filter(({ status }) => status !== 200).length;
const took = samples.map(({ ms }) => ms).sort((a, b) => a - b);
const share = (q: number): string => took[Math.floor(took.length * q)].toFixed(1);
console.log(machine);
console.log(`${samples.length} good files, ${failed} failed; median ${share(0.5)} ms, p99 ${share(0.99)} ms`);
if (values.record) writeFileSync(PICTURE, draw(samples, marks, SECONDS));

/** A good file every 10 ms, whether or not the one before has been answered. */
async function load(ms: number): Promise<void> {
  const until = performance.now() + ms;
  const sent: Promise<void>[] = [];
  for (let next = performance.now(); next < until; next += EVERY_MS) {
    await wait(Math.max(0, next - performance.now()));
    // From when it was due: a service that is late does not slow down its clients.
    const [at, due] = [since(), next];
    sent.push(send(GOOD).then((status) => void samples.push({ at, ms: performance.now() - due, status })));
  }
  await Promise.all(sent);
}

function send(file: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method: "POST", agent }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(file);
  });
}
