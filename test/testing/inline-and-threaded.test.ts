import type { ActorRef } from "@mini-otp/runtime";
import { probe } from "@mini-otp/runtime/testing";
import { describe, expect, test } from "vitest";
import Basket from "../fixtures/basket.actor.js";
import { eventually } from "../support/eventually.js";
import { PLACES } from "../support/places.js";

const ITEMS = { items: { apple: 1 } };
type Args = { items: Record<string, number>; tell?: ActorRef };

interface Way {
  start(args?: Args): Promise<ActorRef<typeof Basket>>;
  stop(): Promise<unknown>;
}

const ways = Object.entries(PLACES).map(([name, enter]) => {
  const way = async (): Promise<Way> => {
    const place = await enter();
    return { start: (args: Args = ITEMS) => place.start(Basket, "basket", args), stop: place.stop };
  };
  return [name, way] as const;
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "ok",
    (error: { code?: string }) => error.code,
  );

describe.each(ways)("an actor that runs %s", (_name, way) => {
  test("answers calls with what its handlers return, from the state that init returned", async () => {
    const basket = await (await way()).start();
    expect(await basket.call("add", "pear", 2)).toBe(2);
    expect(await basket.call("items")).toEqual(
      new Map([
        ["apple", 1],
        ["pear", 2],
      ]),
    );
  });

  // Promise: actor-runs-inline-behaves
  test("handles messages in the order they were sent, an async one before the next", async () => {
    const basket = await (await way()).start();
    await Promise.all([basket.cast("slowly", "a"), basket.cast("note", "b"), basket.send("c")]);
    expect(basket.tryCast("note", "d")).toBe("ok");
    expect(await basket.call("seen")).toEqual(["a", "b", "c", "d"]);
  });

  // Promise: actor-runs-inline-behaves
  test("gets copies, and gives copies", async () => {
    const basket = await (await way()).start();
    const list = [1, 2, 3];
    expect(await basket.call("changeList", list)).toEqual([1, 2, 3, 4]);
    expect(list).toEqual([1, 2, 3]);
    const items = await basket.call("items");
    items.clear();
    expect((await basket.call("items")).size).toBe(1);
  });

  test("refuses what no message can carry, in arguments and replies", async () => {
    const basket = await (await way()).start();
    const argument: any = () => {};
    expect(await codeOf(basket.call("note", argument))).toBe("ERR_NOT_CLONEABLE");
    expect(await codeOf(basket.call("uncloneable"))).toBe("ERR_NOT_CLONEABLE");
  });

  test("fails only the call with a ReplyError", async () => {
    const basket = await (await way()).start();
    const error = await basket.call("take", "plum").catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "ReplyError", code: "NO_SUCH_ITEM", data: { item: "plum" } });
    expect(await basket.call("incarnation")).toBe(1);
  });

  // Promise: actor-runs-inline-behaves
  test("crashes when a handler throws, and starts anew with what waited in its mailbox", async () => {
    const basket = await (await way()).start();
    await basket.call("add", "pear", 1);
    const crashed = basket.call("crash", "let it crash").catch((e: unknown) => e);
    const waited = basket.call("items");
    expect(await crashed).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "error", error: { name: "RangeError", message: "let it crash" } },
    });
    expect(await waited).toEqual(new Map([["apple", 1]]));
    expect(await basket.call("incarnation")).toBe(2);
  });

  test("replies later when a handler has deferred it", async () => {
    const basket = await (await way()).start();
    const added = basket.call("whenAdded");
    await basket.cast("add", "pear", 1);
    expect(await added).toBe(2);
  });

  test("handles what it continues with before anything else", async () => {
    const basket = await (await way()).start();
    const sent = [basket.cast("andThen", "second"), basket.cast("note", "third")];
    await Promise.all(sent);
    expect(await basket.call("seen")).toEqual(["first", "second", "third"]);
  });

  test("sends itself messages later, until it is told not to", async () => {
    const basket = await (await way()).start();
    const timer = await basket.call("often", 1);
    await basket.call("later", 1, "once");
    await eventually(async () => {
      const seen = await basket.call("seen");
      return seen.includes("once") && seen.includes("tick");
    });
    expect(await basket.call("cancel", timer)).toBe(true);
    expect(await basket.call("cancel", timer)).toBe(false);
  });

  test("has the errors of calls: timeouts, aborts, unknown methods, itself, a missing actor", async () => {
    const { start, stop } = await way();
    const basket = await start();
    const other = await start();
    const untyped: ActorRef = basket;
    expect(await codeOf(untyped.call("nothing"))).toBe("ERR_UNKNOWN_METHOD");
    expect(await codeOf(other.with({ timeoutMs: 10 }).call("never"))).toBe("ERR_CALL_TIMEOUT");
    const controller = new AbortController();
    const aborted = codeOf(other.with({ signal: controller.signal }).call("items"));
    controller.abort();
    expect(await aborted).toBe("ERR_CALL_ABORTED");
    expect(await codeOf(basket.call("callItself"))).toBe("ERR_CALL_EXIT");
    void stop();
    await eventually(() => basket.tryCast("note", 1) === "closed");
    expect(["ERR_NOPROC", "ERR_SYSTEM_STOPPED"]).toContain(await codeOf(basket.call("items")));
  });

  test("finds its signal aborted when the caller has given up, however late it looks", async () => {
    const { start } = await way();
    const [basket, other] = [await start(), await start()];
    const controller = new AbortController();
    const aborted = codeOf(basket.with({ signal: controller.signal }).call("looksLate", other));
    await eventually(async () => (await other.call("howManyWait")) === 1);
    controller.abort();
    expect(await aborted).toBe("ERR_CALL_ABORTED");
    await other.call("add", "pear", 1);
    const awaited = basket.call("looksLate", other);
    await eventually(async () => (await other.call("howManyWait")) === 1);
    await other.call("add", "pear", 1);
    await awaited;
    expect(await basket.call("seen")).toEqual(["aborted", "not aborted"]);
  });

  test("knows other actors by the references it is sent", async () => {
    const { start } = await way();
    const [basket, other] = [await start(), await start({ items: { pear: 5 } })];
    expect(await basket.call("forward", other, "items")).toEqual(new Map([["pear", 5]]));
  });

  test("is told when an actor that it monitors ends", async () => {
    const { start } = await way();
    const [basket, other] = [await start(), await start()];
    await basket.call("watch", other);
    await other.call("crash", "watched").catch(() => {});
    await eventually(async () => (await basket.call("seen")).length > 0);
    expect(await basket.call("seen")).toEqual(["DOWN error"]);
  });

  // Promise: actor-runs-inline-behaves
  test("handles what it has accepted before it stops, and then terminates", async () => {
    const { start, stop } = await way();
    const told = probe();
    const basket = await start({ items: {}, tell: told });
    const accepted = [basket.cast("note", 1), basket.cast("slowly", "two")];
    await Promise.all(accepted);
    const stopping = stop();
    expect(await told.expect("terminated")).toMatchObject({ args: ["shutdown", [1, "two"]] });
    await stopping;
  });

  test("has a comlink remote", async () => {
    const basket = await (await way()).start();
    expect(await basket.proxy().add("pear", 2)).toBe(2);
  });
});
