import { expect, test } from "vitest";
import { runProgram } from "./program.js";

test("a process in which an actor has taken every descriptor goes on, and starts fail with the reason until it has ended", async () => {
  const { output, code } = await runProgram("descriptors");
  expect(output.trim().split("\n")).toEqual([
    "hoarder EMFILE",
    "sibling true 1",
    "metrics 2 2",
    "late ERR_INIT_FAILED true",
    "hoarder 2 sibling 1",
    "late 1",
  ]);
  expect(code).toBe(0);
});
