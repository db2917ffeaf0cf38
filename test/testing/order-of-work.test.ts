import type { ActorRef } from "@mini-otp/runtime";
import { probe } from "@mini-otp/runtime/testing";
import { describe, expect, test } from "vitest";
import Basket from "../fixtures/basket.actor.js";
import Orderly, { type Plan } from "../fixtures/orderly.actor.js";
import { eventually } from "../support/eventually.js";
import { PLACES } from "../support/places.js";

const EMPTY = { items: {} };

describe.each(Object.entries(PLACES))("the order of an actor's work, %s", (_name, enter) => {
  async function start() {
    const place = await enter();
    const told = probe();
    const gate = await place.start(Basket, "basket", EMPTY);
    const actor = await place.start(Orderly, "orderly", { tell: told });
    const startBasket = (): Promise<ActorRef<typeof Basket>> => place.start(Basket, "basket", EMPTY);
    /** Resolves when the actor is busy, until `open` is called. */
    const hold = async (plan: Omit<Plan, "gate">) => {
      const held = actor.call("hold", { ...plan, gate });
      await eventually(async () => (await gate.call("howManyWait")) === 1);
      return { held, open: () => gate.call("add", "key", 1) };
    };
    return { place, told, actor, startBasket, hold };
  }

  const crash = (ref: ActorRef<typeof Basket>) => ref.call("crash", "let it crash").catch(() => {});

  // Promise: order-of-work
  test("what it continues with comes first, then signals, then due timers, then its mailbox", async () => {
    const { actor, startBasket, hold } = await start();
    const watched = await startBasket();
    const { open } = await hold({ watch: [watched], timersMs: [1], continueWith: ["continued"] });
    await actor.cast("note", "cast");
    await actor.send("sent");
    await crash(watched);
    await open();
    const seen = await actor.call("seen");
    expect(seen).toEqual(["continued", "DOWN basket-2", "after 1 ms", "cast", "sent"]);
  });

  // Promise: order-of-work
  test("signals come in the order they were sent, and due timers in that of their times", async () => {
    const { actor, startBasket, hold } = await start();
    const [one, other] = [await startBasket(), await startBasket()];
    const { open } = await hold({ watch: [one, other], timersMs: [3, 1, 2] });
    await crash(other);
    await crash(one);
    await open();
    const seen = await actor.call("seen");
    expect(seen).toEqual(["DOWN basket-3", "DOWN basket-2", "after 1 ms", "after 2 ms", "after 3 ms"]);
  });

  test("a DOWN that waits is dropped when its monitor is taken off", async () => {
    const { actor, startBasket, hold } = await start();
    const watched = await startBasket();
    const { open } = await hold({ watch: [watched], demonitor: true });
    await crash(watched);
    await open();
    expect(await actor.call("seen")).toEqual([]);
  });

  test("what a message continues with is handled before the message behind it", async () => {
    const { actor, hold } = await start();
    const { open } = await hold({});
    await Promise.all([actor.cast("noteAndContinue", "one"), actor.cast("noteAndContinue", "two")]);
    await open();
    expect(await actor.call("seen")).toEqual(["one", "one, continued", "two", "two, continued"]);
  });

  test("microtasks of a message run before the next one", async () => {
    const { actor, hold } = await start();
    const { open } = await hold({});
    await Promise.all([actor.cast("noteByMicrotask", "microtask"), actor.cast("note", "next")]);
    await open();
    expect(await actor.call("seen")).toEqual(["microtask", "next"]);
  });

  test("a call that its caller gave up while it waited is not handled", async () => {
    const { actor, hold } = await start();
    const { open } = await hold({});
    const controller = new AbortController();
    const aborted = actor.with({ signal: controller.signal }).call("note", "given up");
    await actor.cast("note", "cast");
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
    await open();
    expect(await actor.call("seen")).toEqual(["cast"]);
  });

  // Promise: order-of-work
  test("an actor that stops itself ends before anything else; its mailbox waits for the next incarnation", async () => {
    const { actor, told, hold } = await start();
    const { open } = await hold({ timersMs: [1], continueWith: ["continued"], stop: true });
    await actor.cast("note", "cast");
    await open();
    expect(await told.expect("terminated")).toMatchObject({ args: ["normal", []] });
    expect(await actor.call("seen")).toEqual(["cast"]);
  });

  // Promise: order-of-work
  test("an actor that is stopped does all that waits, and ends then", async () => {
    const { place, actor, told, startBasket, hold } = await start();
    const watched = await startBasket();
    const { held, open } = await hold({ watch: [watched], timersMs: [1], continueWith: ["continued"] });
    await actor.cast("note", "cast");
    await crash(watched);
    const opened = open();
    const stopped = opened.then(() => place.stop());
    await held;
    const { args } = await told.expect("terminated");
    expect(args).toEqual(["shutdown", ["continued", "DOWN basket-2", "after 1 ms", "cast"]]);
    await stopped;
  });
});
