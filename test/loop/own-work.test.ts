import { expect, test } from "vitest";
import { OwnWork } from "#worker-host/loop/own-work.js";

/** What is open in this process stands for what the runtime has open, beside the port to main. */
const openBefore = (): number => process.getActiveResourcesInfo().length - 1;

test("work of an actor's own is seen at once, and its end soon after, however much there was", async () => {
  let lookAgain = (): void => {};
  const runtimes = openBefore();
  const ownWork = new OwnWork(() => lookAgain());
  expect(ownWork.isUnderWay(performance.now(), runtimes)).toBe(false);

  const timers = Array.from({ length: 50_000 }, () => setTimeout(() => {}, 600_000));
  expect(ownWork.isUnderWay(performance.now(), runtimes)).toBe(true);
  for (const timer of timers) clearTimeout(timer);

  // What was seen may hold for a while. Then it says that it is to be looked again.
  while (ownWork.isUnderWay(performance.now(), runtimes)) {
    await new Promise<void>((resolve) => {
      lookAgain = resolve;
    });
  }
});

test("with little under way, every answer is fresh", () => {
  const ownWork = new OwnWork(() => {});
  const runtimes = openBefore();
  // The first look may be slow, while nothing is compiled.
  for (let look = 0; look < 100; look++) ownWork.isUnderWay(performance.now(), runtimes);
  const timer = setTimeout(() => {}, 600_000);
  expect(ownWork.isUnderWay(performance.now(), runtimes)).toBe(true);
  clearTimeout(timer);
});

test("work that ends without a callback is found to have ended, and nothing looks any more", async () => {
  const runtimes = openBefore();
  const timer = setTimeout(() => {}, 600_000);
  const open = openBefore();
  await new Promise<void>((over) => {
    const ownWork = new OwnWork(() => {
      if (ownWork.isUnderWay(performance.now(), runtimes)) clearTimeout(timer);
      else over();
    });
    expect(ownWork.isUnderWay(performance.now(), runtimes)).toBe(true);
  });
  expect(openBefore()).toBe(open - 1);
});
