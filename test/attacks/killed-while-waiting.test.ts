import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/killed-while-waiting.js", import.meta.url));

test("an actor that is killed while the guard looks into it inside Atomics.wait takes no process along", async () => {
  const { output, errors, code, signal } = await startProgram(program).ended;
  expect({ output, code, signal }, errors).toEqual({ output: "lives\n", code: 0, signal: null });
});
