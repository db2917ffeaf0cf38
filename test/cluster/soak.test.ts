import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";
import { tool } from "../support/tools.js";

test("casts and calls are accounted for, names are one holder's and singletons fenced, while nodes and NATS fail", {
  timeout: 180_000,
}, async () => {
  tool("nats-server");
  const program = fileURLToPath(new URL("./soak-main.js", import.meta.url));
  const soak = startProgram(program, ["--casts", "60000", "--calls", "6000", "--seconds", "12"]);
  const { output, errors, code } = await soak.ended;
  // Its first line has the seed.
  console.log(output);
  expect(errors).toBe("");
  const result = JSON.parse(output.trimEnd().split("\n").at(-1) as string);
  expect(result).toMatchObject({ violations: [] });
  expect(result.handled).toBeGreaterThan(1000);
  expect(result.stored).toBeGreaterThan(10);
  expect(result.nameOperations).toBeGreaterThan(100);
  expect(code).toBe(0);
});
