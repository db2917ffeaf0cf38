import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/platform.js", import.meta.url));
/** Node's own answer is what the runtime asks for. */
const on = (platform: string) =>
  `--import=data:text/javascript,Object.defineProperty(process,"platform",{value:"${platform}"})`;

test("what only Linux has is said when a system starts elsewhere, and once when an actor's process will outlive it", async () => {
  const { output, errors, code } = await startProgram(on("darwin"), [program]).ended;
  expect(output).toContain("only on Linux does a process that an actor starts end with it");
  expect(output).toContain("this is darwin");
  expect(errors.match(/\[MINI_OTP_CHILD_PROCESS\] Warning: /g)).toEqual(["[MINI_OTP_CHILD_PROCESS] Warning: "]);
  expect(errors).toContain("a process that an actor starts outlives its actor on darwin");
  expect(code).toBe(0);
});

test("on Linux there is nothing to say", async () => {
  const { output, errors, code } = await startProgram(on("linux"), [program]).ended;
  expect(output).not.toContain("Linux");
  expect({ errors, code }).toEqual({ errors: "", code: 0 });
});
