import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { comlinkActor, pool } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";
import { fixture, testSystem } from "../support/system.js";

// Promise: spec-names-found-out
test("what a spec names is found where it was when the spec was given, and is as it was then", async () => {
  const program = startProgram(fileURLToPath(new URL("./programs/working-directory.js", import.meta.url)));
  const { output, errors, code } = await program.ended;
  expect(errors).toBe("");
  expect(output.split("\n")).toEqual([
    "root/one incarnation 2 red",
    "root/upgraded incarnation 2 colourless",
    "root/many incarnation 2 red",
    "members fulfilled,fulfilled",
    "root/dynamic/late incarnation 1 red",
    'pool 42 {"list":[1]}',
    "",
  ]);
  expect(code).toBe(0);
});

// Promise: spec-names-found-out
test("a URL that an actor's spec has given is the one of then", async () => {
  const system = await testSystem();
  const actor = fixture("counter");
  const one = await system.startChild({ id: "one", actor });
  actor.pathname = "/nowhere.actor.js";
  await one.call("crash", "boom").catch(() => {});
  expect(await one.call("get")).toBe(0);
});

const PERCENT = ["file:///tmp/100%.actor.js", "file:///tmp/%/a.js", "file:///tmp/%zz.js", "file:///tmp/a%2Fb.js"];

// Promise: module-s-url-leads
test.each(PERCENT)("a module's URL that stands for no path says what was tried: %s", async (url) => {
  const system = await testSystem();
  const one = await system.startChild({ id: "one", actor: fixture("counter") });
  const refused = { code: "ERR_ACTOR_MODULE", message: expect.stringContaining(`tried ${url}`) };
  for (const actor of [url, new URL(url)]) {
    await expect(system.startChild({ id: "two", actor })).rejects.toMatchObject(refused);
    await expect(system.upgrade(one, actor)).rejects.toMatchObject(refused);
    await expect(system.startChild(pool({ id: "pool", filename: actor }))).rejects.toMatchObject(refused);
    expect(() => comlinkActor(actor)).toThrow(expect.objectContaining(refused));
  }
  expect(await one.call("get")).toBe(0);
});

test("a URL of another kind may have a stray %, and a file may be called so", async () => {
  const system = await testSystem();
  const data = new URL("data:text/javascript,export default 100%");
  await expect(system.startChild({ id: "data", actor: data })).rejects.toMatchObject({ code: "ERR_ACTOR_MODULE" });
  const file = join(mkdtempSync(join(tmpdir(), "100%-")), "50%.actor.mjs");
  writeFileSync(file, `export { default } from ${JSON.stringify(fixture("counter").href)};\n`);
  for (const [index, actor] of [file, pathToFileURL(file)].entries()) {
    const ref = await system.startChild({ id: `one-${index}`, actor });
    expect(await ref.call("get")).toBe(0);
    expect(system.meters.actors().find(({ id }) => id === ref.id)?.type).toBe("50%");
  }
});
