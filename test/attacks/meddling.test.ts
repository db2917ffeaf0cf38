import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { oneInThree } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { MEDDLING_NAMES } from "./fixtures/meddling.js";

const program = fileURLToPath(new URL("./programs/meddling.js", import.meta.url));
/** Each in both places, or in one of them by turns. */
const CASES = MEDDLING_NAMES.flatMap((meddling) => ["actor", "main"].map((where) => ({ where, meddling }))).filter(
  (_, i) => oneInThree(i),
);

test.each(CASES)(
  // Promise: nothing-logs-ends-actor
  "logging, crashes and calls go on when the application has changed what is under them: $meddling ($where)",
  async ({ where, meddling }) => {
    const { output, errors, code } = await startProgram(program, [where, meddling]).ended;
    const last = output.trimEnd().split("\n").at(-1);
    expect({ last, code }, errors.slice(-1500)).toEqual({ last: "lives", code: 0 });
  },
);
