import { router } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { fixture, testSystem } from "../support/system.js";

const png = (): Buffer => Buffer.from("\x89PNG");
const large = (): Buffer => Buffer.alloc(2_000_000, 9);

/** A Buffer in every place that a value has. */
function everywhere() {
  const slab = new ArrayBuffer(8);
  return {
    alone: png(),
    empty: Buffer.alloc(0),
    list: [png(), [png()]],
    map: new Map<unknown, unknown>([
      ["value", png()],
      [png(), "key"],
    ]),
    set: new Set([png()]),
    error: Object.assign(new Error("with bytes", { cause: png() }), { bytes: png() }),
    part: Buffer.from(slab, 2, 4),
    bytes: new Uint8Array([1, 2]),
  };
}

function expectBuffers(value: unknown): void {
  const sent = everywhere();
  const got = value as ReturnType<typeof everywhere>;
  expect(got.error).toMatchObject({ message: "with bytes", cause: png(), bytes: png() });
  expect({ ...got, error: 0 }).toStrictEqual({ ...sent, error: 0 });
  const { error, map, list } = got as any;
  const found = [got.alone, got.empty, list[0], list[1][0], map.get("value"), [...map.keys()][1], ...got.set, got.part];
  for (const buffer of [...found, error.cause, error.bytes]) {
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(buffer.buffer.byteLength).toBeLessThanOrEqual(8);
  }
  expect(Buffer.isBuffer(got.bytes)).toBe(false);
}

// Promise: buffer-arrives-buffer-without
test("a Buffer arrives as a Buffer, wherever it is and whichever way it comes, without its pool's other bytes", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const far = await system.startChild<typeof Echo>({ id: "far", actor: fixture("echo") });
  const group: any = await system.startChild(
    router({ id: "group", size: 2, route: "round_robin", actor: fixture("echo") }),
  );
  expectBuffers(await echo.call("echo", everywhere()));
  expectBuffers(await echo.call("echoLater", everywhere()));
  expectBuffers(await echo.call("forward", far, everywhere()));
  expectBuffers(await group.call("echo", everywhere()));
  // By parcel.
  const [big, shared] = (await echo.call("echo", [everywhere(), new SharedArrayBuffer(4), large()] as never)) as any;
  expectBuffers(big);
  expect(shared).toBeInstanceOf(SharedArrayBuffer);
  for (const buffer of [png(), large(), Buffer.alloc(300, 1), Buffer.alloc(70_000, 1)]) {
    const alone = (await echo.call("echo", buffer)) as Buffer;
    const inside = ((await echo.call("forward", far, { buffer })) as { buffer: Buffer }).buffer;
    expect([Buffer.isBuffer(alone), Buffer.isBuffer(inside)]).toEqual([true, true]);
    expect([buffer.equals(alone), buffer.equals(inside)]).toEqual([true, true]);
  }
  const failure = await echo.call("refuse", "no", "E", everywhere()).catch((error: unknown) => error);
  expectBuffers((failure as { data: unknown }).data);
});

test("a Buffer whose memory changes hands arrives as a Buffer", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const buffer = Buffer.from(new ArrayBuffer(10), 2, 5).fill(3);
  const memory = buffer.buffer as ArrayBuffer;
  const copy = (await echo.with({ transfer: [memory] }).call("echo", { buffer })) as { buffer: Buffer };
  expect(Buffer.isBuffer(copy.buffer)).toBe(true);
  expect([...copy.buffer]).toEqual([3, 3, 3, 3, 3]);
  expect(memory.byteLength).toBe(0);
});

// Promise: buffer-arrives-buffer-without
test("a Buffer in an actor's args and state is one there, in getState, and after an upgrade", async () => {
  const system = await testSystem();
  const words = new Int32Array(new SharedArrayBuffer(8));
  const args = { words, ...everywhere() };
  const keeper: any = await system.startChild({ id: "keeper", actor: fixture("keeper"), args } as never);
  await system.replaceState(keeper, args);
  expectBuffers(without(await system.getState(keeper)));
  await system.upgrade(keeper, fixture("keeper"));
  expectBuffers(without(await system.getState(keeper)));
});

function without(state: any): unknown {
  const { words: _words, ...rest } = state;
  return rest;
}
