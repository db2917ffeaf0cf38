import { pool } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { testSystem } from "../support/system.js";

const filename = new URL("./fixtures/lingering.js", import.meta.url);

async function start() {
  const system = await testSystem();
  const ref = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  return { system, ref, where: () => ref.run(undefined, { name: "where" }) };
}

for (const name of ["exit", "exitByAnEarlierHandler"]) {
  // Promise: exit-handler-never-returns
  test(`a task rejects with its thread's exit although an exit handler never returns, and the pool goes on (${name})`, async () => {
    const { ref, where } = await start();
    const before = await where();
    const exit = { kind: "exit_called", code: 3 };
    await expect(ref.run(3, { name })).rejects.toMatchObject({ code: "ERR_CALL_EXIT", reason: exit });
    expect(await ref.run(4)).toBe(8);
    expect(await where()).not.toBe(before);
    expect(ref.stats()).toMatchObject({ state: "running", incarnation: 1, threads: 1, threadsLost: 1 });
  });
}

// Promise: exit-handler-never-returns
test("a system that stops waits for no exit handler of a pool's thread", async () => {
  const { system, ref } = await start();
  const lost = ref.run(3, { name: "exit" }).catch((error: unknown) => error);
  const { drained, dropped, killed, zombie } = await system.stop();
  expect(await lost).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 3 } });
  expect({ drained, dropped, killed, zombie }).toEqual({ drained: 1, dropped: 0, killed: false, zombie: false });
});

test("an exit that Node refuses fails its task, and the thread lives on", async () => {
  const { ref, where } = await start();
  const before = await where();
  await expect(ref.run(undefined, { name: "exitWithoutCode" })).rejects.toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
  expect(await where()).toBe(before);
  expect(ref.stats()).toMatchObject({ failed: 1, threadsLost: 0 });
});
