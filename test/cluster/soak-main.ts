import { CommandLine } from "../support/command-line.js";
import { soakCluster } from "./soak.js";

// pnpm soak:cluster [-- --casts 1000000] [--calls 100000] [--seconds 180] [--seed N]
const line = new CommandLine("soak:cluster", {
  casts: { type: "string" },
  calls: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
});
const casts = line.number("casts", 1_000_000, 1, 1_000_000_000);
const calls = line.number("calls", 100_000, 1, 1_000_000_000);
const seconds = line.number("seconds", 180, 1, 1_000_000);
const seed = line.number("seed", Math.floor(Math.random() * 2 ** 31), 0, 2 ** 32 - 1);
console.log(`soak:cluster: ${casts} casts and ${calls} calls in ${seconds} s, seed ${seed}`);
const result = await soakCluster({ casts, calls, seconds, seed }, console.log);
console.log(JSON.stringify(result));
process.exitCode = result.violations.length === 0 ? 0 : 1;
