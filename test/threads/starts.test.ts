import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import { startProgram } from "../support/program.js";
import { fixture, testSystem } from "../support/system.js";

// Promise: threads-share-v8-compiled
test("actors start although V8's flags have changed since the first one did", async () => {
  const program = startProgram(fileURLToPath(new URL("./programs/changed-flags.js", import.meta.url)));
  const { output, errors, code } = await program.ended;
  expect({ output, errors, code }).toEqual({ output: "before 0\nafter 0\nagain 0\n", errors: "", code: 0 });
});

test("many actors that are started at once all start, and answer", async () => {
  const system = await testSystem();
  const refs = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      system.startChild<typeof Counter>({
        id: `counter-${i}`,
        actor: fixture("counter"),
        args: { start: i },
        startTimeoutMs: 60_000,
      }),
    ),
  );
  const answers = await Promise.all(refs.map((ref) => ref.with({ timeoutMs: 60_000 }).call("get")));
  expect(answers).toEqual(refs.map((_, i) => i));
});
