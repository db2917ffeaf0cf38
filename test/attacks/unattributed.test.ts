import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Unattributed } from "#runtime/guard/unattributed.js";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/unattributed.js", import.meta.url));

describe("over guard.totalMb for memory that is in no actor's numbers", () => {
  // Promise: resident-memory-numbers-told
  test("the actor that ran while it grew is told of, and no actor is ended", async () => {
    const { output, errors, code } = await startProgram(program, ["report"]).ended;
    expect({ lines: output.trim().split("\n"), code }, errors).toEqual({
      lines: ["memory_unattributed root/filling report true", "idle 1 filling 1", "freed false reports 1"],
      code: 0,
    });
  });

  // Promise: resident-memory-numbers-told
  test("with kill_suspect it is ended, and the others stay", async () => {
    const { output, errors, code } = await startProgram(program, ["kill_suspect"]).ended;
    expect({ lines: output.trim().split("\n"), code }, errors).toEqual({
      lines: [
        "memory_unattributed root/filling kill_suspect true",
        "killed root/filling off_heap_cap_exceeded",
        "idle 1 filling 2",
        "freed true reports 1",
      ],
      code: 0,
    });
  });

  test("with exit the process stops in order and leaves", async () => {
    const { output, code } = await startProgram(program, ["exit"]).ended;
    expect(output).toBe("memory_unattributed root/filling exit true\n");
    expect(code).toBe(1);
  });
});

const a = { id: "a" };
const b = { id: "b" };

test("what grows is put down to those who ran, in proportion", () => {
  const unattributed = new Unattributed<object>();
  unattributed.see(100, [{ owner: a, times: 5 }]);
  expect(unattributed.mb).toBe(0);
  unattributed.see(140, [
    { owner: a, times: 3 },
    { owner: b, times: 1 },
  ]);
  expect(unattributed.suspects).toEqual([
    { owner: a, grewMb: 30 },
    { owner: b, grewMb: 10 },
  ]);
});

test("what shrinks is taken off everyone, and what grows while no actor runs is no actor's", () => {
  const unattributed = new Unattributed<object>();
  const ran = (times: number) => [{ owner: a, times }];
  unattributed.see(0, ran(0));
  unattributed.see(40, ran(1));
  unattributed.see(80, ran(0));
  unattributed.see(40, ran(1));
  expect(unattributed.suspects).toEqual([{ owner: a, grewMb: 20 }]);
  expect(unattributed.mb).toBe(40);
  unattributed.see(-100, ran(1));
  expect(unattributed.mb).toBe(0);
});

test("an actor that is gone is no suspect any more", () => {
  const unattributed = new Unattributed<object>();
  unattributed.see(0, [{ owner: a, times: 1 }]);
  unattributed.see(50, [{ owner: a, times: 1 }]);
  unattributed.see(50, []);
  expect(unattributed.mb).toBe(0);
});
