import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { type Program, startProgram } from "../support/program.js";

const main = fileURLToPath(new URL("../../../examples/dist/07-persistent-counter/main.js", import.meta.url));

function newJournal(): string {
  const folder = mkdtempSync(join(tmpdir(), "persistent-counter-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "count.journal");
}

const counts = (output: string): number[] => output.trim().split("\n").map(Number);

async function countsUpTo(program: Program, lines: number): Promise<void> {
  await eventually(() => program.output().split("\n").length > lines, 20_000);
}

test("SIGTERM writes the count down as one line, and the next run goes on from there", async () => {
  const journal = newJournal();
  let last = 0;
  for (const lines of [50, 200]) {
    const program = startProgram(main, [journal]);
    await countsUpTo(program, lines);
    program.process.kill("SIGTERM");
    const { output, errors, code } = await program.ended;
    expect([code, errors]).toEqual([0, ""]);
    expect(counts(output)[0]).toBe(last + 1);
    last = Number(readFileSync(journal, "utf8"));
    expect(readFileSync(journal, "utf8")).toBe(`${last}\n`);
    // What is answered while the process ends may come too late to be printed.
    expect(counts(output).at(-1)).toBeLessThanOrEqual(last);
  }
});

test("kill -9 at any moment loses no count that was acknowledged, and counts none twice", async () => {
  const journal = newJournal();
  let written = 0;
  for (const lines of [1, 3, 10, 33, 100, 333]) {
    const program = startProgram(main, [journal]);
    await countsUpTo(program, lines);
    program.process.kill("SIGKILL");
    const { output, signal } = await program.ended;
    expect(signal).toBe("SIGKILL");
    const printed = counts(output);
    expect(printed).toEqual(printed.map((_, i) => written + 1 + i));
    // What was written down, but printed to a pipe that was not read yet, is more.
    written = Number(readFileSync(journal, "utf8").split("\n").at(-2));
    expect(printed.at(-1)).toBeLessThanOrEqual(written);
  }
});

test("a line that a kill has cut off does not count", async () => {
  const journal = newJournal();
  writeFileSync(journal, "41\n42\n4");
  const program = startProgram(main, [journal]);
  await countsUpTo(program, 2);
  program.process.kill("SIGTERM");
  expect(counts((await program.ended).output).slice(0, 2)).toEqual([43, 44]);
});
