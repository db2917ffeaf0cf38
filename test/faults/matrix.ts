// Runs the table of faults on every Node version: as actors with a thread of their own, as light actors, and with bare
// resourceLimits, and writes a table of each into docs/isolation.md.
// Usage: node matrix.js [--nodes 20,22] [--as own,light,bare] [--keep]; with --keep the file is not written.
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

const line = new CommandLine("test:matrix", {
  nodes: { type: "string" },
  as: { type: "string" },
  keep: { type: "boolean" },
});
const majors = line.chosen("nodes", MAJORS);

/** What runs the faults: a cell of the table, and what was wrong. */
type Run = (fault: string, node: string) => Promise<{ readonly cell: string; readonly wrong: readonly string[] }>;

interface Way {
  /** Of the block in the document. */
  readonly block: string;
  /** Only faults of handlers: a start or a stop that fails is that of one light actor, and no worker's. */
  readonly onlyHandlers: boolean;
  readonly run: Run;
}

const WAYS = {
  own: { block: "guarded", onlyHandlers: false, run: observing(observe) },
  light: { block: "light", onlyHandlers: true, run: observing(observeLight) },
  bare: {
    block: "bare",
    onlyHandlers: true,
    run: async (fault, node) => ({ cell: await observeBare(fault, node, BARE_DEADLINE_MS), wrong: [] }),
  },
} satisfies Record<string, Way>;
const ways = line.chosen("as", Object.keys(WAYS) as (keyof typeof WAYS)[]);

const rows = new Map<string, string[][]>(ways.map((way) => [way, []]));
let failures = 0;
for (const [fault, { stage }] of Object.entries(FAULTS)) {
  for (const way of ways) {
    const { onlyHandlers, run }: Way = WAYS[way];
    if (onlyHandlers && stage !== "handler") continue;
    const cells: string[] = [];
    for (const major of majors) {
      const { cell, wrong } = await run(fault, nodeOf(major));
      failures += wrong.length;
      if (wrong.length > 0) console.log(`Node ${major} ${fault} (${way}): ${wrong.join("; ")}`);
      cells.push(cell);
    }
    rows.get(way)?.push([fault, ...cells]);
    console.log([way, fault, ...cells].join("  "));
  }
}
if (!line.flag("keep")) {
  const head = ["fault", ...majors.map((major) => `Node ${major}`)];
  let text = readFileSync(DOCUMENT, "utf8");
  for (const way of ways) text = replaceBlock(text, WAYS[way].block, table(head, rows.get(way) ?? []));
  writeFileSync(DOCUMENT, text);
}
if (failures > 0) process.exitCode = 1;

function observing(look: (fault: string, node: string) => Promise<Observation>): Run {
  return async (fault, node) => {
    let seen: Observation | undefined;
    let wrong: string[] = [];
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        seen = await look(fault, node);
        wrong = [...complaints(seen), ...disturbances(seen)];
        if (wrong.length === 0 || complaints(seen).length > 0) break;
      } catch (error) {
        return { cell: "**process dies**", wrong: [(error as Error).message] };
      }
    }
    return { cell: seen === undefined ? "" : cellOf(seen), wrong };
  };
}

function cellOf({ reason, endedMs, zombies }: Observation): string {
  const used = typeof reason.usedMb === "number" ? ` at ${reason.usedMb.toFixed(0)} MiB` : "";
  return `${reason.kind}${used}, ${endedMs.toFixed(0)} ms${zombies > 0 ? ", zombie" : ""}`;
}

/** Columns are as wide as their widest cell, as the formatter wants them. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...body].map((cells) => cells[i]!.length)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...body].map(row).join("\n");
}

function replaceBlock(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}: start -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/isolation.md has no block ${name}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}
