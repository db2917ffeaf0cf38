import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";
import { MEDDLING_NAMES } from "./fixtures/meddling.js";

const program = fileURLToPath(new URL("./programs/meddling.js", import.meta.url));
const CASES = MEDDLING_NAMES.flatMap((meddling) => ["actor", "main"].map((where) => ({ where, meddling })));

test.each(CASES)(
  // Promise: nothing-logs-ends-actor
  "logging, crashes and calls go on when the application has changed what is under them: $meddling ($where)",
  async ({ where, meddling }) => {
    const { output, errors, code } = await startProgram(program, [where, meddling]).ended;
    const last = output.trimEnd().split("\n").at(-1);
    expect({ last, code }, errors.slice(-1500)).toEqual({ last: "lives", code: 0 });
  },
);
