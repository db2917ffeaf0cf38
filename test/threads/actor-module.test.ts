import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineActor } from "@mini-otp/worker-host";
import { expect, test } from "vitest";
import { testSystem } from "../support/system.js";

const failureOf = async (actor: URL | string): Promise<Error> => {
  const system = await testSystem();
  return system.startChild({ id: "one", actor }).catch((error: unknown) => error) as Promise<Error>;
};

test("a definition without handlers, with options that do not exist or with an instance for handlers says what it takes", () => {
  const define = (options: unknown) => () => defineActor(options as never);
  class Greeter {
    hello() {}
  }
  expect(define(() => ({}))).toThrow("options=a function, must be an object with init, handlers");
  expect(define({ init: () => ({}) })).toThrow("handlers=undefined, must be an object of functions");
  expect(define({ hello: () => 1 })).toThrow("no option hello; there are: init, handlers");
  expect(define({ handlers: {}, onTerminate() {} })).toThrow("no option onTerminate");
  expect(define({ handlers: new Greeter() })).toThrow(
    "handlers is an instance of Greeter without functions of its own",
  );
  expect(define({ handlers: { hello: 5 } })).toThrow("handlers.hello=5, must be a function");
});

// Promise: definition-does-know-refused
test("a module whose definition is refused fails the start with the reason", async () => {
  const error = await failureOf(new URL("./fixtures/handlers-missing.actor.js", import.meta.url));
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect(error.message).toContain("defineActor: no option hello");
});

// Promise: definition-does-know-refused
test("a relative path that leads nowhere is explained: it is relative to the working directory", async () => {
  const error = await failureOf("./no/such.actor.js");
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect(error.message).toContain(`relative to the working directory, ${process.cwd()}`);
  expect(error.message).toContain('new URL("./no/such.actor.js", import.meta.url)');
});

test("a module with a syntax error is refused with a way to find where it is", async () => {
  const file = join(tmpdir(), `syntax-error-${process.pid}.actor.mjs`);
  await writeFile(file, "export default (;\n");
  const error = await failureOf(pathToFileURL(file));
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect(error.message).toContain(`SyntaxError: Unexpected token ';'; "node ${file}" shows where`);
});

test("what is no module is refused with what one looks like", async () => {
  const error = await failureOf(defineActor({ handlers: {} }) as never);
  expect(error).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "actor" });
  expect(error.message).toContain("a module, by its URL or path: new URL(");
});

// Promise: actor-may-default-export
test("the default export of a CommonJS module is an actor too", async () => {
  const system = await testSystem();
  const actor = new URL("./fixtures/commonjs.actor.cjs", import.meta.url);
  const one = await system.startChild({ id: "one", actor });
  expect(await one.call("hello")).toBe("from CommonJS");
});
