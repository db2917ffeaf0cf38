import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../machine.js";
import { manyActors } from "./many-actors.js";
import { restartLatency } from "./restart-latency.js";
import { restartStorm } from "./restart-storm.js";

// pnpm bench:lifecycle [-- --actors 500]
const argv = process.argv.slice(2);
const { values } = parseArgs({
  args: argv[0] === "--" ? argv.slice(1) : argv,
  options: { actors: { type: "string", default: "500" } },
});
const actors = Number(values.actors);
if (!Number.isInteger(actors) || actors < 1) {
  console.error("bench:lifecycle: --actors is an integer from 1");
  process.exit(2);
}
console.log(machineLine(await describeMachine()));
await restartLatency();
await restartStorm();
await manyActors(actors);
