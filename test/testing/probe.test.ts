import { probe, runInline, startTestSystem } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import Basket from "../fixtures/basket.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";

async function threadedBasket() {
  const system = await startTestSystem();
  onTestFinished(async () => void (await system.stop()));
  const basket = await system.startChild<typeof Basket>({
    id: "basket",
    actor: fixture("basket"),
    args: { items: {} },
  });
  return { system, basket };
}

test("a probe records what actors call, cast and send to it, in order", async () => {
  const { basket } = await threadedBasket();
  const asked = probe();
  await basket.call("forward", asked, "first", 1, { two: 2 });
  await asked.cast("second");
  await asked.send("third");
  await asked.expect("info");
  expect(asked.received).toEqual([
    { kind: "call", method: "first", args: [1, { two: 2 }] },
    { kind: "cast", method: "second", args: [] },
    { kind: "send", method: "info", args: ["third"] },
  ]);
});

test("a probe answers calls as it is told: values, functions, errors", async () => {
  const { basket } = await threadedBasket();
  const asked = probe({ answers: { price: (item: string) => item.length } }).answer("stock", 3);
  asked.answer("refuse", () => {
    throw new TypeError("not for sale");
  });
  expect(await basket.call("forward", asked, "price", "apple")).toBe(5);
  expect(await basket.call("forward", asked, "stock")).toBe(3);
  expect(await basket.call("forward", asked, "anything")).toBeUndefined();
  expect(await asked.call("refuse").catch((e: Error) => e.message)).toBe("not for sale");
});

test("expect waits for a message that is still to come, and takes each once", async () => {
  const asked = probe({ system: (await threadedBasket()).system });
  const second = asked.expect(({ args }) => args[0] === 2);
  await asked.cast("put", 1);
  await asked.cast("put", 2);
  expect((await second).args).toEqual([2]);
  expect((await asked.expect("put")).args).toEqual([1]);
  await expect(asked.expect("put", 20)).rejects.toThrow(/no message "put" within deadlineMs=20.*nothing/);
});

test("expect says what came instead, expectNone what came although nothing should", async () => {
  const asked = probe({ system: (await threadedBasket()).system });
  await asked.expectNone(10);
  await asked.cast("other", { a: 1 });
  await expect(asked.expect("put", 50)).rejects.toThrow('cast other({"a":1})');
  await expect(asked.expectNone(10_000)).rejects.toThrow("was expected");
});

test("a probe takes what is too large for a mailbox", async () => {
  const { basket } = await threadedBasket();
  const asked = probe({ answers: { size: (bytes: Uint8Array) => bytes.length } });
  expect(await basket.call("forward", asked, "size", new Uint8Array(3 << 20))).toBe(3 << 20);
});

test("a probe that is closed refuses messages, and its system ends without it", async () => {
  const { system, basket } = await threadedBasket();
  const asked = probe();
  asked.close();
  expect(asked.tryCast("late")).toBe("closed");
  expect(await basket.call("forward", asked, "late").catch((e: any) => e.reason.error.code)).toBe("ERR_NOPROC");
  await system.stop();
});

// Promise: probe-actor-those-monitor
test("a probe can be monitored: it is there until it is closed, and DOWN comes then", async () => {
  const { system, basket } = await threadedBasket();
  const [asked, killed] = [probe(), probe()];
  await basket.call("watch", asked);
  await basket.call("watch", killed);
  const down = new Promise<unknown>((resolve) => system.monitor(asked, resolve));
  expect(await basket.call("seen")).toEqual([]);
  asked.close();
  expect(await down).toMatchObject({ type: "DOWN", id: asked.id, reason: { kind: "shutdown" } });
  await eventually(async () => (await basket.call("seen")).length === 1);
  system.exit(killed, "kill");
  await eventually(async () => (await basket.call("seen")).length === 2);
  expect(await basket.call("seen")).toEqual(["DOWN shutdown", "DOWN killed"]);
  expect(killed.tryCast("late")).toBe("closed");
});

test("without a system a probe is for inline actors; inline actors reach a system's too", async () => {
  const basket = await runInline(Basket, { items: {} });
  const alone = probe({ answers: { price: 3 } });
  expect(await basket.call("forward", alone, "price", "pear")).toBe(3);
  expect(alone.received).toEqual([{ kind: "call", method: "price", args: ["pear"] }]);
  await threadedBasket();
  const ofSystem = probe({ answers: { price: 4 } });
  expect(await basket.call("forward", ofSystem, "price", "pear")).toBe(4);
  await basket.stop();
});

test("what an expectation that fails says points at the line that expected it, and at no file of the runtime", async () => {
  const asked = probe({ system: (await threadedBasket()).system });
  const framesOf = async (expecting: Promise<unknown>) => {
    const { stack = "" } = (await expecting.catch((error: unknown) => error)) as Error;
    return stack.split("\n").filter((line) => line.startsWith("    at "));
  };
  const [missing] = await framesOf(asked.expect("put", 20));
  expect(missing).toContain("probe.test");
  await asked.cast("other");
  const [unexpected] = await framesOf(asked.expectNone(10_000));
  expect(unexpected).toContain("probe.test");
});
