import { expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";

// Promise: change-hands-may-gone
test("whatever becomes of what travels by parcel, main lives, and every call settles with a documented outcome", async () => {
  const program = startProgram(new URL("./programs/parcel-fates.js", import.meta.url).pathname, [
    "",
    ofPart("3", "3", "1"),
  ]);
  const { output, errors, code } = await program.ended;
  expect(errors).toBe("");
  expect(output).not.toMatch(/BAD/);
  expect(output.match(/a closed port that is not transferred: ERR_NOT_CLONEABLE/g)).toHaveLength(4);
  expect(output).toMatch(/who gets a port whose other end has gone hears: closed\n/);
  expect(output).toMatch(/whose owner has crashed: pong\n/);
  expect(output).toMatch(/done\n$/);
  expect(code).toBe(0);
}, 120_000);
