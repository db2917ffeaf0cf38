import { expect, test } from "vitest";
import { runProgram } from "./program.js";

test.each(["array-of-objects", "map-growth", "array-fill", "buffers"])(
  "a process whose main thread is busy for a second while an actor leaks by %s survives, and the actor is ended then",
  { timeout: 60_000 },
  async (fault) => {
    const { output, code } = await runProgram("blocked-main", { args: [fault] });
    const [seen, restarted] = output.trim().split("\n");
    expect(JSON.parse(seen).reason).toMatch(/cap_exceeded$/);
    expect(restarted).toBe("restarted 2");
    expect(code).toBe(0);
  },
);
