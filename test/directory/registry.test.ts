import { expect, test } from "vitest";
import { Registry } from "#runtime/directory/registry.js";

const a = { id: "root/a" };
const b = { id: "root/b" };

test("a name points at the slot that claimed it", () => {
  const registry = new Registry();
  registry.claim("hasher", a);
  expect(registry.whereis("hasher")).toBe(a);
  expect(registry.whereis("nobody")).toBeUndefined();
  expect(registry.names()).toEqual(["hasher"]);
});

test("a slot that is started again has its name still, and may claim it once more", () => {
  const registry = new Registry();
  registry.claim("hasher", a);
  registry.claim("hasher", a);
  expect(registry.whereis("hasher")).toBe(a);
});

test("another slot's claim is ERR_NAME_TAKEN and names the holder", () => {
  const registry = new Registry();
  registry.claim("hasher", a);
  expect(() => registry.claim("hasher", b)).toThrow(
    expect.objectContaining({ code: "ERR_NAME_TAKEN", name: "hasher", id: "root/b", holder: "root/a" }),
  );
  expect(registry.whereis("hasher")).toBe(a);
});

test("a released name is free", () => {
  const registry = new Registry();
  registry.claim("hasher", a);
  registry.release("hasher", a);
  expect(registry.whereis("hasher")).toBeUndefined();
  registry.claim("hasher", b);
  expect(registry.whereis("hasher")).toBe(b);
});

test("only its holder can release a name", () => {
  const registry = new Registry();
  registry.claim("hasher", a);
  registry.release("hasher", b);
  expect(registry.whereis("hasher")).toBe(a);
});
