// Runs the table of faults on every Node version, with mini-otp and with bare resourceLimits, and writes both tables
// into docs/isolation.md. Usage: node matrix.js [--nodes 20,22] [--keep]; with --keep the file is not written.
import { readFileSync, writeFileSync } from "node:fs";
import { CommandLine } from "../support/command-line.js";
import { complaints, disturbances, observe, observeBare, observeLight } from "./fault-process.js";
import { FAULTS } from "./fault-table.js";
import { MAJORS, nodeOf } from "./node-versions.js";
import type { Observation } from "./observation.js";

const DOCUMENT = new URL("../../../docs/isolation.md", import.meta.url);
/** A bare worker that has neither ended nor ended its process by then is going to do neither. */
const BARE_DEADLINE_MS = 4000;
/** On a machine that has other work, an observation is made again when others were disturbed. */
const TRIES = 3;

const line = new CommandLine("test:matrix", { nodes: { type: "string" }, keep: { type: "boolean" } });
const majors = line.chosen("nodes", MAJORS);

const guarded: string[][] = [];
const bare: string[][] = [];
let failures = 0;
for (const [fault, { stage }] of Object.entries(FAULTS)) {
  const cells: string[] = [];
  const bareCells: string[] = [];
  for (const major of majors) {
    const node = nodeOf(major);
    let seen: Observation | undefined;
    let wrong: string[] = [];
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        seen = await observe(fault, node);
        wrong = [...complaints(seen), ...disturbances(seen)];
        if (wrong.length === 0 || complaints(seen).length > 0) break;
      } catch (error) {
        wrong = [(error as Error).message];
        break;
      }
    }
    failures += wrong.length;
    if (wrong.length > 0) console.log(`Node ${major} ${fault}: ${wrong.join("; ")}`);
    cells.push(seen === undefined ? "**process dies**" : cellOf(seen));
    // Without an actor there is nothing to start or stop.
    if (stage === "handler") bareCells.push(await observeBare(fault, node, BARE_DEADLINE_MS));
  }
  if (stage === "handler") failures += await lightFailures(fault);
  guarded.push([fault, ...cells]);
  if (stage === "handler") bare.push([fault, ...bareCells]);
  console.log([fault, ...cells, "| bare:", ...bareCells].join("  "));
}
if (!line.flag("keep")) {
  const head = ["fault", ...majors.map((major) => `Node ${major}`)];
  let text = readFileSync(DOCUMENT, "utf8");
  text = replaceBlock(text, "guarded", table(head, guarded));
  text = replaceBlock(text, "bare", table(head, bare));
  writeFileSync(DOCUMENT, text);
}
if (failures > 0) process.exitCode = 1;

/** The same as a light actor, on each version. Returns how much was wrong. */
async function lightFailures(fault: string): Promise<number> {
  let count = 0;
  for (const major of majors) {
    const wrong = await observeLight(fault, nodeOf(major)).then(complaints, (error: Error) => [error.message]);
    count += wrong.length;
    if (wrong.length > 0) console.log(`Node ${major} ${fault} (light): ${wrong.join("; ")}`);
  }
  return count;
}

function cellOf({ reason, endedMs, zombies }: Observation): string {
  const used = typeof reason.usedMb === "number" ? ` at ${reason.usedMb.toFixed(0)} MiB` : "";
  return `${reason.kind}${used}, ${endedMs.toFixed(0)} ms${zombies > 0 ? ", zombie" : ""}`;
}

/** Columns are as wide as their widest cell, as the formatter wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function replaceBlock(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}: start -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/isolation.md has no block ${name}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}
