import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { everySecond } from "../support/part.js";
import { OUTPUT } from "./tour-output.js";

const examples = fileURLToPath(new URL("../../../examples/", import.meta.url));

const tour = readdirSync(examples).filter((name) => /^\d\d-/.test(name));

/** A root that has given up says so in the exit code. */
const EXIT_CODES: Readonly<Record<string, number>> = { "04-escalation": 1 };

test.each(tour.filter(everySecond(0)))("%s prints what it is meant to show, and ends by itself", (name) => {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [join(examples, "dist", name, "main.js")], {
    timeout: 25_000,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  expect(stdout).toBe(OUTPUT[name].trimStart());
  expect(stderr).toBe("");
  expect({ status, signal }).toEqual({ status: EXIT_CODES[name] ?? 0, signal: null });
});

test("the tour is a main file and its actors' and tasks' files each, under 40 lines", () => {
  expect(tour).toEqual(Object.keys(OUTPUT));
  for (const name of tour) {
    const files = readdirSync(join(examples, name));
    const kinds = new Set(files.map((file) => file.replace(/^[\w-]+(?=\.(?:actor|task)\.ts$)/, "*")));
    kinds.delete("*.task.ts");
    expect([...kinds].sort()).toEqual(["*.actor.ts", "main.ts"]);
    for (const file of files) {
      expect(readFileSync(join(examples, name, file), "utf8").split("\n").length).toBeLessThanOrEqual(40);
    }
  }
});
