import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { pairOfHands } from "../support/pair-of-hands.js";
import { fixture } from "../support/system.js";

test("while the receiver crashes between messages, every call that transfers something gets its reply", async () => {
  const { system, giver, taker } = await pairOfHands({ minMs: 1, maxMs: 1 });
  for (const method of ["exchange", "exchangeSync"] as const) {
    let over = false;
    const exchanged = giver
      .with({ timeoutMs: 20_000 })
      .call(method, taker, 300, 64)
      .finally(() => {
        over = true;
      });
    for (let crash = 0; crash < 6 && !over; crash++) {
      const { incarnation } = system.stats(taker);
      const { handled } = system.stats(taker).mailbox;
      await eventually(() => over || system.stats(taker).mailbox.handled > handled + 5);
      await taker.cast("crash");
      await eventually(() => system.stats(taker).incarnation > incarnation);
    }
    expect(await exchanged).toBe(64);
  }
});

test("exchanges go on while either side is upgraded", async () => {
  const { system, giver, taker } = await pairOfHands();
  for (const method of ["exchange", "exchangeSync"] as const) {
    const exchanged = giver.call(method, taker, 2000, 64);
    await eventually(() => system.stats(taker).mailbox.handled > 0);
    await system.upgrade(taker, fixture("hands"));
    expect(await exchanged).toBe(64);
    await system.upgrade(giver, fixture("hands"));
  }
  expect(await giver.call("exchangeSync", taker, 5, 64)).toBe(64);
});
