import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";

const SECONDS = ofPart(10, 10, 60);

test("nothing is lost, doubled, torn or out of order while senders and receivers die in every way", {
  timeout: 4 * SECONDS * 1000,
}, async () => {
  const soak = startProgram(fileURLToPath(new URL("./main.js", import.meta.url)), ["--seconds", String(SECONDS)]);
  const { output, errors, code } = await soak.ended;
  // Its first line has the seed.
  console.log(output);
  expect(errors).toBe("");
  expect(JSON.parse(output.trimEnd().split("\n").at(-1) as string)).toMatchObject({ violations: [] });
  expect(code).toBe(0);
});
