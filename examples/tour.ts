import { readdirSync, readFileSync } from "node:fs";
import { observeSystems } from "./observe-systems.js";

const USAGE = `Runs a step of the tour.

Usage: tour STEP [--observe[=PORT]]

  STEP              its number, or its name
  --observe[=PORT]  a live page of the step's system; its address is on stderr. The system then stays until you press Enter

`;

const steps = readdirSync(new URL(".", import.meta.url)).filter((name) => /^\d\d-/.test(name));
const args = process.argv.slice(2).filter((arg) => arg !== "--");
const observe = args.find((arg) => /^--observe(?:=\d+)?$/.test(arg));
const [wanted, ...own] = args.filter((arg) => arg !== observe);
const step = steps.find((name) => name === wanted || Number(name.slice(0, 2)) === Number(wanted));

if (step === undefined) {
  process.stderr.write(USAGE + steps.map((name) => `  ${name.padEnd(24)}${aboutOf(name)}\n`).join(""));
  process.exitCode = wanted === undefined || wanted === "--help" ? 0 : 2;
} else {
  // What is left is the step's own.
  process.argv.splice(2, Infinity, ...own);
  const pages = observe === undefined ? undefined : observeSystems(Number(observe.split("=")[1] ?? 0));
  await import(new URL(`${step}/main.js`, import.meta.url).href);
  await pages?.over();
}

/** The first sentence of its comment. */
function aboutOf(name: string): string {
  const source = readFileSync(new URL(`${name}/main.js`, import.meta.url), "utf8");
  const [comment = ""] = /^(?:\/\/ .*\n)+/m.exec(source) ?? [];
  return comment
    .replaceAll(/^\/\/ /gm, "")
    .replaceAll("\n", " ")
    .replace(/\. .*/, ".");
}
