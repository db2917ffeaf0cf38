import { expect, test } from "vitest";
import { runProgram } from "./program.js";

const COLLECTIONS_WAIT = Number(process.versions.v8.split(".")[0]) < 13;

test("main's heap is collected before an actor's is where it could not be meanwhile, and not again before it has grown", async () => {
  const { output } = await runProgram("main-heap");
  const times = COLLECTIONS_WAIT ? 1 : 0;
  expect(output.trim().split("\n")).toEqual(["first true", `main ${times}`, "second true", `main ${times}`]);
});
