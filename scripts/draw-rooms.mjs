// Draws each package's rooms, and which imports which, into CONTRIBUTING.md.
// Usage: node scripts/draw-rooms.mjs [--check]. With --check it writes nothing, and fails where the drawing is out of date.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readSource } from "./read-source.mjs";
import { placeOf, ROOMS } from "./rooms.mjs";

const START = "<!-- rooms: drawn by `pnpm docs:rooms` -->";
const END = "<!-- /rooms -->";
const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

/** Which rooms each room imports, over all of a package's files. */
function arrowsOf(packageName) {
  const arrows = new Map(ROOMS[packageName].map((room) => [room, new Set()]));
  const src = `packages/${packageName}/src`;
  for (const entry of readdirSync(`${root}${src}`, { recursive: true })) {
    const file = `${src}/${entry.replaceAll("\\", "/")}`;
    if (!/\.[cm]?ts$/.test(file) || file.endsWith(".d.ts")) continue;
    const { room } = placeOf(file);
    for (const { target } of readSource(file, readFileSync(`${root}${file}`, "utf8")).imports) {
      const to = target && placeOf(target)?.room;
      if (to !== undefined && to !== room) arrows.get(room).add(to);
    }
  }
  return arrows;
}

/** Leaves out an arrow where others lead to the same room: the arrows that are left still give the whole order. */
function essential(arrows) {
  const reaches = (from, to) => [...arrows.get(from)].some((next) => next === to || reaches(next, to));
  return [...arrows].map(([room, targets]) => [
    room,
    [...targets].filter((to) => ![...targets].some((other) => other !== to && reaches(other, to))),
  ]);
}

function draw(packageName) {
  const lines = essential(arrowsOf(packageName)).flatMap(([room, targets]) =>
    targets.map((to) => `  ${nodeOf(room)} --> ${nodeOf(to)}`),
  );
  return ["```mermaid", "flowchart TD", ...lines, "```"].join("\n");
}

function nodeOf(room) {
  return `${room.replaceAll("/", "_")}["${room}"]`;
}

const file = `${root}CONTRIBUTING.md`;
const text = readFileSync(file, "utf8");
const [start, end] = [text.indexOf(START), text.indexOf(END)];
if (start === -1 || end === -1) throw new Error(`CONTRIBUTING.md has no ${START} … ${END}`);
const drawing = Object.keys(ROOMS).map((name) => `\`packages/${name}/src\`:\n\n${draw(name)}`);
const drawn = `${text.slice(0, start)}${START}\n\n${drawing.join("\n\n")}\n\n${text.slice(end)}`;
if (!values.check) writeFileSync(file, drawn);
else if (drawn !== text) {
  console.error("CONTRIBUTING.md: the drawing of the rooms is out of date; run `pnpm docs:rooms`");
  process.exitCode = 1;
}
