import { CommandLine } from "../support/command-line.js";
import { soak } from "./soak.js";

// pnpm soak [-- --seconds 60] [--seed N]
const line = new CommandLine("soak", { seconds: { type: "string" }, seed: { type: "string" } });
const seconds = line.number("seconds", 60, 1, 1_000_000);
const seed = line.number("seed", Math.floor(Math.random() * 2 ** 31), 0, 2 ** 32 - 1);
console.log(`soak: ${seconds} s, seed ${seed}`);
const result = await soak(seconds, seed);
console.log(JSON.stringify(result));
process.exitCode = result.violations.length === 0 ? 0 : 1;
