import { describeMachine, machineLine } from "../machine.js";
import { countOption } from "../options.js";
import { manyActors } from "./many-actors.js";
import { poolStart } from "./pool-start.js";
import { restartLatency } from "./restart-latency.js";
import { restartStorm } from "./restart-storm.js";

// pnpm bench:lifecycle [-- --actors 500]
const actors = countOption("bench:lifecycle", "actors", 500);
console.log(machineLine(await describeMachine()));
await poolStart();
await restartLatency();
await restartStorm();
await manyActors(actors);
