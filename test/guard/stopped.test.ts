import { expect, test } from "vitest";
import { runProgram } from "./program.js";

test("a process that was stopped for longer than handlerTimeoutMs goes on without ending anyone", async () => {
  const { output } = await runProgram("stopped");
  expect(output).toBe("replied 1\n");
});
