import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

test.each<[program: string, args: string[], message: string]>([
  ["test/dist/soak/main.js", ["--fast"], "soak: Unknown option '--fast'; it takes --seconds …, --seed …"],
  ["test/dist/soak/main.js", ["--seconds", "0"], 'soak: --seconds takes a whole number from 1 to 1000000, not "0"'],
  ["test/dist/faults/rounds.js", ["--rounds=x"], 'test:faults: --rounds takes a whole number from 1 to 10000, not "x"'],
  ["test/dist/faults/rounds.js", ["--fault", "none"], "test:faults: --fault takes some of "],
  ["test/dist/faults/matrix.js", ["all"], "test:matrix: Unexpected argument 'all'"],
  ["test/dist/versions.js", ["--nodes", "19"], 'test:versions: --nodes takes some of 20, 22, 24, 26, not "19"'],
  ["bench/dist/main-cost/main.js", ["--fast"], "bench:main: Unknown option '--fast'"],
  ["bench/dist/lifecycle/main.js", ["--actors=0"], "bench:lifecycle: --actors 0: must be an integer from 1"],
])("%s %j is refused in one clear line with exit code 2", async (program, args, message) => {
  const { output, errors, code } = await startProgram(root(program), ["--", ...args]).ended;
  expect({ output, code }).toEqual({ output: "", code: 2 });
  expect(errors).toContain(message);
  expect(errors.trimEnd().split("\n").length).toBe(1);
});
