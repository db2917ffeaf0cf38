// Runs every memory fault again and again; fails when one process dies, or one fault ends otherwise than it must.
// Usage: node rounds.js [--rounds 20] [--fault name]
import { CommandLine } from "../support/command-line.js";
import { complaints, observe } from "./fault-process.js";
import { MEMORY_FAULTS } from "./fault-table.js";

const line = new CommandLine("test:faults", { rounds: { type: "string" }, fault: { type: "string", multiple: true } });
const faults = line.chosen("fault", MEMORY_FAULTS);
const rounds = line.number("rounds", 20, 1, 10_000);
let failures = 0;
for (let round = 1; round <= rounds; round++) {
  const startedMs = performance.now();
  for (const fault of faults) {
    const wrong = await observe(fault).then(complaints, (error: Error) => [error.message]);
    failures += wrong.length;
    for (const what of wrong) console.log(`round ${round} ${fault}: ${what}`);
  }
  console.log(`round ${round}: ${faults.length} faults in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
console.log(`${rounds} rounds of ${faults.length} memory faults on ${process.version}: ${failures} failures`);
if (failures > 0) process.exitCode = 1;
