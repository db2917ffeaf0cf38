import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { report, UsageError, wholeNumber, withObservePort } from "./command-line.js";
import { observeSystems } from "./observe-systems.js";

const USAGE = `Runs a step of the tour.

Usage: tour STEP [--observe[=PORT]]

  STEP              its number, or its name
  --observe[=PORT]  a live page of the step's system; its address is on stderr. The system then stays until you press Enter

`;

const steps = readdirSync(new URL(".", import.meta.url)).filter((name) => /^\d\d-/.test(name));

try {
  await main();
} catch (error) {
  process.exitCode = report("tour", error);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: withObservePort(process.argv.slice(2).filter((arg) => arg !== "--")),
    options: { observe: { type: "string" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  const [wanted, ...own] = positionals;
  if (wanted === undefined || values.help) {
    process.stderr.write(USAGE + steps.map((name) => `  ${name.padEnd(24)}${aboutOf(name)}\n`).join(""));
    return;
  }
  const step = steps.find(
    (name) => name === wanted || (/^\d+$/.test(wanted) && Number(name.slice(0, 2)) === Number(wanted)),
  );
  if (step === undefined) throw new UsageError(`no step "${wanted}"; there are ${steps.join(", ")}`);
  // 07 takes the file that its counter keeps its number in.
  const tooMany = own[step === "07-persistent-counter" ? 1 : 0];
  if (tooMany !== undefined) throw new UsageError(`${step} takes nothing more: "${tooMany}"`);
  const port = values.observe === undefined ? undefined : wholeNumber("--observe", values.observe, 0, 65_535);
  process.argv.splice(2, Infinity, ...own);
  const pages = port === undefined ? undefined : observeSystems(port);
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
