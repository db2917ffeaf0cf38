import { expect, test } from "vitest";
import { checkHeapFlag, findHeapFlag } from "#runtime/guard/heap-flags.js";
import { runProgram } from "./program.js";

test.each([
  [["--max-old-space-size=300"], "", "--max-old-space-size=300"],
  [["--max_old_space_size=300"], "", "--max_old_space_size=300"],
  [["--max-heap-size", "300"], "", "--max-heap-size"],
  [[], "--no-warnings --max-old-space-size=300", "NODE_OPTIONS --max-old-space-size=300"],
  [["--max-old-space-size=300"], "--max-old-space-size=100", "--max-old-space-size=300"],
])("the flag that limits every heap is found: %j, NODE_OPTIONS %j", (execArgv, nodeOptions, flag) => {
  expect(findHeapFlag(execArgv, nodeOptions)).toEqual({ flag, limitMb: 300 });
});

test("other flags are none", () => {
  expect(findHeapFlag(["--max-semi-space-size=16", "--no-warnings"], "--enable-source-maps")).toBeUndefined();
  expect(() => checkHeapFlag(undefined, "root/a", 64)).not.toThrow();
});

test("an actor whose cap is above the process's flag is refused with ERR_HEAP_CAP_INEFFECTIVE, naming the flag", async () => {
  const { output, code } = await runProgram("start", { args: ["300"], execArgv: ["--max-old-space-size=200"] });
  expect(output).toMatch(/^ERR_HEAP_CAP_INEFFECTIVE .*--max-old-space-size=200/);
  expect(code).toBe(0);
});

test("the same by NODE_OPTIONS", async () => {
  const { output } = await runProgram("start", { args: ["300"], env: { NODE_OPTIONS: "--max-old-space-size=200" } });
  expect(output).toMatch(/^ERR_HEAP_CAP_INEFFECTIVE .*NODE_OPTIONS --max-old-space-size=200/);
});

test("an actor whose cap is below it starts, and the log says that the guard alone enforces the cap", async () => {
  const { output } = await runProgram("start", { args: ["64"], execArgv: ["--max-old-space-size=500"] });
  expect(output).toMatch(/^started 1\n--max-old-space-size=500 is V8's limit for every actor/);
});
