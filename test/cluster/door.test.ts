import type { ActorRef } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { describe, expect, it } from "vitest";
import { type Delivery, Door } from "#cluster/children/door.js";

const by = { node: "b", incarnation: "1" };
const never = new AbortController().signal;

const delivery = (number: number, kind: Delivery["kind"]): Delivery => ({
  generation: "1.1",
  run: 1,
  number,
  kind,
  method: "note",
  args: [number],
});

describe("a door", () => {
  it("is told when a call that waits for room has got in: what came after it goes on then, and not before", async () => {
    const noted: string[] = [];
    let room = (): void => {};
    const guests = {
      call: (_ref: unknown, _method: string, [number]: number[]) => {
        noted.push(`call ${number}`);
        return (listener: () => void) => {
          room = listener;
          return number === 1;
        };
      },
    } as unknown as Guests;
    const tryCast = (_method: string, number: number): string => {
      noted.push(`cast ${number}`);
      return "ok";
    };
    const ref = { id: "root/it", tryCast };
    const door = new Door(guests, ref as unknown as ActorRef, "1.1");
    void door.deliver(by, delivery(1, "call"), never);
    const cast = door.deliver(by, delivery(2, "cast"), never);
    void door.deliver(by, delivery(3, "call"), never);
    const last = door.deliver(by, delivery(4, "cast"), never);
    await Promise.resolve();
    expect(noted).toEqual(["call 1"]);
    room();
    expect(noted).toEqual(["call 1", "cast 2", "call 3", "cast 4"]);
    expect([await cast, await last]).toEqual([["taken"], ["taken"]]);
  });
});
