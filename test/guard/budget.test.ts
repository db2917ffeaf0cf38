import { expect, test } from "vitest";
import { runProgram } from "./program.js";

test("over guard.totalMb, the actor farthest over its share is ended, and the others stay", async () => {
  const { output } = await runProgram("budget");
  expect(output.trim().split("\n")).toEqual(["root/large heap_cap_exceeded", "small 1 large 2"]);
});
