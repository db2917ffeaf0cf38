import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";

/*
 * OPERATIONS_SEED tries the same cells again. OPERATIONS_CELLS tries that many of each kind: there are some 11 000 in all, of which
 * twenty to forty take a second on two cores. OPERATIONS_WITHOUT names operations that are left out.
 */
const seed = Number(process.env.OPERATIONS_SEED ?? randomInt(2 ** 31));
// A snapshot whose thread ends before it has been read ends the process.
const without = (process.env.OPERATIONS_WITHOUT ?? "").split(",");

describe("operations", () => {
  test.each([
    ["actor", 180],
    ["router", 120],
    ["pool", 80],
    ["supervisor,dynamic", 100],
    ["resource", 80],
  ] as const)(
    // Promise: operation-settles-whatever-state
    "on a thing in whatever state, alone and beside each other, settle, and all else goes on (%s)",
    async (kind, cells) => {
      const count = Number(process.env.OPERATIONS_CELLS ?? ofPart(cells, cells / 10, cells));
      const file = fileURLToPath(new URL("./programs/operations.js", import.meta.url));
      const { output, errors, code } = await startProgram(file, [kind, String(count), String(seed), ...without]).ended;
      const told = `OPERATIONS_SEED=${seed}\n${output}${errors}`;
      expect(told).toMatch(/^OPERATIONS_SEED=\d+\n\d+ of \d+ cells, 0 wrong\n$/);
      // It ends by itself: no thread, timer or handle is left.
      expect(code).toBe(0);
    },
    Number(process.env.OPERATIONS_CELLS ?? 0) * 1000 + 120_000,
  );
});
