import { parseArgs } from "node:util";
import { soak } from "./soak.js";

// pnpm soak [-- --seconds 60] [--seed N]
const argv = process.argv.slice(2);
const { values } = parseArgs({
  args: argv[0] === "--" ? argv.slice(1) : argv,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error("soak: --seconds is a number over 0, --seed an integer");
  process.exit(2);
}
console.log(`soak: ${seconds} s, seed ${seed}`);
const result = await soak(seconds, seed);
console.log(JSON.stringify(result));
process.exitCode = result.violations.length === 0 ? 0 : 1;
