import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const PROGRAM = fileURLToPath(new URL("./programs/heaps-at-rest.js", import.meta.url));
/** V8 14 does not collect such a heap in any case. */
const COLLECTS = Number(process.versions.v8.split(".")[0]) < 14;

test.runIf(COLLECTS)(
  "a thread that has come up and does nothing is not collected, unless V8's flag says so",
  { timeout: 60_000 },
  async () => {
    const left = startProgram(PROGRAM);
    await left.says("at rest");
    const watched = startProgram(PROGRAM, [], {}, ["--memory-reducer-for-small-heaps"]);
    // 8 s after its start, which was after the other's.
    await watched.says("collected", 50_000);
    left.process.stdin?.write("?\n");
    await left.says("collections");
    expect(left.output()).toBe("at rest\ncollections 0\n");
  },
);
