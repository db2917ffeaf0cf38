import { expect, test } from "vitest";
import { runProgram } from "./program.js";

test("main's heap is collected while the first actor starts, and not for every actor that is", async () => {
  const { output } = await runProgram("main-heap");
  expect(output.trim().split("\n")).toEqual(["first true", "main 1", "second true", "main 1"]);
});

test("and again before an actor is, where it could not be meanwhile, when it has grown", async () => {
  const { output } = await runProgram("main-heap", { args: ["8"] });
  const times = Number(process.versions.v8.split(".")[0]) < 13 ? 2 : 1;
  expect(output.trim().split("\n")).toEqual(["first true", "main 1", "second true", `main ${times}`]);
});
