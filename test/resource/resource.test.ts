import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { type ActorSystem, type ExitReason, type ResourceContext, resource } from "@mini-otp/runtime";
import { startTestSystem, virtualClock } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import type Gate from "../fixtures/gate.actor.js";
import type Worker from "../fixtures/worker.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

async function listening({ fail, signal }: ResourceContext, port = 0): Promise<Server> {
  const server = createServer().on("error", fail);
  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening", { signal });
  return server;
}

function close(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A system whose time stands still, and a promise that never settles. */
async function stillSystem() {
  const clock = virtualClock();
  const system = await startTestSystem({ clock });
  onTestFinished(async () => {
    const stopped = system.stop();
    await clock.advance(60_000);
    await stopped;
  });
  return { system, clock, never: new Promise<never>(() => {}) };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: { code?: unknown }) => error.code,
  );

function status(system: ActorSystem, id: string) {
  return system.whichChildren().find((child) => child.id === id);
}

// Promise: resource-s-reference-start
test("a resource's reference is what its start returned, and undefined once it has stopped", async () => {
  const system = await testSystem();
  const server = await system.startChild(resource({ id: "server", start: listening, stop: close }));
  expect(server.listening).toBe(true);
  expect(system.child("server")).toBe(server);
  expect(status(system, "server")).toMatchObject({ type: "worker", state: "running", ref: server });
  expect(system.tree().children).toMatchObject([{ id: "root/server", type: "worker", state: "running" }]);
  await system.terminateChild("server");
  expect(server.listening).toBe(false);
  expect(status(system, "server")).toMatchObject({ state: "stopped", ref: undefined });
  expect((await system.restartChild("server")).listening).toBe(true);
});

// Promise: resource-s-reference-start
test("a resource may be anything, and need not be asynchronous", async () => {
  const system = await testSystem();
  const stopped: unknown[] = [];
  for (const value of [undefined, null, 7, { uid: 1 }]) {
    const spec = resource({ id: "thing", start: () => value, stop: (thing, { kind }) => stopped.push([thing, kind]) });
    expect(await system.startChild(spec)).toBe(value);
    expect(system.tree().children?.[0]).toEqual({
      id: "root/thing",
      type: "worker",
      state: "running",
      restart: "permanent",
    });
    await system.terminateChild("thing");
    await system.deleteChild("thing");
  }
  expect(stopped).toEqual([undefined, null, 7, { uid: 1 }].map((value) => [value, "shutdown"]));
});

// Promise: start-fails-hangs-failed
test("a resource whose start throws or rejects is ERR_INIT_FAILED, and its spec is not kept", async () => {
  const system = await testSystem();
  const starts = [
    () => {
      throw new Error("no");
    },
    () => Promise.reject(new Error("no")),
    ({ fail }: ResourceContext) => {
      fail(new Error("no"));
      return new Promise<never>(() => {});
    },
  ];
  for (const start of starts) {
    const started = system.startChild(resource({ id: "r", start, stop: () => {} }));
    await expect(started).rejects.toMatchObject({ code: "ERR_INIT_FAILED", cause: { message: "no" } });
  }
  expect(system.whichChildren()).toEqual([]);
});

test("a port that is taken is a failed start of the server that wants it", async () => {
  const system = await testSystem();
  const first = await system.startChild(resource({ id: "first", start: listening, stop: close }));
  const second = resource({ id: "second", start: (context) => listening(context, portOf(first)), stop: close });
  await expect(system.startChild(second)).rejects.toMatchObject({
    code: "ERR_INIT_FAILED",
    cause: { code: "EADDRINUSE" },
  });
});

// Promise: start-fails-hangs-failed
test("a start that hangs is ERR_INIT_TIMEOUT after startTimeoutMs, and what comes of it later is stopped", async () => {
  const { system, clock } = await stillSystem();
  let come!: (value: string) => void;
  const stopped: unknown[] = [];
  let signal!: AbortSignal;
  const started = codeOf(
    system.startChild(
      resource({
        id: "slow",
        startTimeoutMs: 300,
        start: (context) => {
          signal = context.signal;
          return new Promise<string>((resolve) => {
            come = resolve;
          });
        },
        stop: (value, { kind }) => stopped.push([value, kind]),
      }),
    ),
  );
  await clock.advance(299);
  expect(signal.aborted).toBe(false);
  await clock.advance(1);
  expect(await started).toBe("ERR_INIT_TIMEOUT");
  expect(signal.aborted).toBe(true);
  come("late");
  await eventually(() => stopped.length > 0);
  expect(stopped).toEqual([["late", "init_timeout"]]);
});

// Promise: says-fail-stopped-restarted
test("a resource that fails by itself is stopped, then restarted with the next incarnation", async () => {
  const system = await testSystem();
  const log: string[] = [];
  let failNow!: (error: unknown) => void;
  const exited = new Promise<ExitReason>((resolve) => system.on("actor_exited", ({ reason }) => resolve(reason)));
  const restarted = new Promise((resolve) => system.on("actor_restarted", resolve));
  await system.startChild(
    resource({
      id: "connection",
      start({ incarnation, fail }) {
        log.push(`start ${incarnation}`);
        failNow = fail;
        return incarnation;
      },
      stop: (incarnation, { kind }) => log.push(`stop ${incarnation} ${kind}`),
    }),
  );
  const failed = failNow;
  failed(new Error("lost"));
  failed(new Error("said twice"));
  expect(await exited).toMatchObject({ kind: "error", error: { message: "lost" } });
  await restarted;
  failed(new Error("said by the one before"));
  expect(log).toEqual(["start 1", "stop 1 error", "start 2"]);
  expect(system.child("connection")).toBe(2);
});

// Promise: says-fail-stopped-restarted
test("a server that fails has freed its port when it is restarted", async () => {
  const system = await testSystem();
  let port = 0;
  const server = await system.startChild(
    resource({
      id: "server",
      async start(context) {
        const started = await listening(context, port);
        port = portOf(started);
        return started;
      },
      stop: close,
    }),
  );
  const restarted = new Promise((resolve) => system.on("actor_restarted", resolve));
  server.emit("error", new Error("broken"));
  await restarted;
  expect(portOf(system.child("server"))).toBe(port);
  expect(system.child("server")).not.toBe(server);
});

// Promise: says-fail-stopped-restarted
test("a resource that fails more often than the intensity allows ends its supervisor", async () => {
  const system = await testSystem({ intensity: 1 });
  const start = ({ fail }: ResourceContext) => void setImmediate(fail, new Error("again"));
  await system.startChild(resource({ id: "r", start, stop: () => {} }));
  expect(await system.terminated).toMatchObject({ detail: { kind: "reached_max_restart_intensity", id: "root/r" } });
});

// Promise: says-fail-stopped-restarted
test("a transient resource whose work is done stays down, and can end its supervisor", async () => {
  const start = ({ finish }: ResourceContext) => void setImmediate(finish);
  const job = { id: "job", restart: "transient", significant: true, start, stop: () => {} } as const;
  const system = await testSystem({ autoShutdown: "any_significant", children: [resource(job)] });
  expect(await system.terminated).toEqual({ kind: "shutdown" });
});

// Promise: stops-place-order
test("resources stop in their place in the order: a server refuses connections before the actors behind it drain", async () => {
  const system = await testSystem();
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const worker = await system.startChild<typeof Worker>({ id: "worker", actor: fixture("worker") });
  let accepting = true;
  const closing: string[] = [];
  const server = await system.startChild(
    resource({
      id: "server",
      start: listening,
      async stop(listener) {
        const port = portOf(listener);
        await close(listener);
        const [error] = await once(connect(port, "127.0.0.1"), "error");
        accepting = (error as { code: string }).code !== "ECONNREFUSED";
        closing.push(worker.tryCast("ready"));
      },
    }),
  );
  await worker.cast("hold", gate);
  await gate.call("someone");
  expect(server.listening).toBe(true);
  const stopped = system.stop();
  await eventually(() => worker.tryCast("ready") === "closed");
  expect(accepting).toBe(false);
  expect(closing).toEqual(["ok"]);
  await gate.cast("open");
  const { children } = await stopped;
  expect(children.map(({ id }) => id)).toEqual(["root/server", "root/worker", "root/gate"]);
  expect(children[0]).toMatchObject({ killed: false, zombie: false, reason: { kind: "shutdown" } });
});

// Promise: stop-bounded-shutdown-deadline
test("a stop that takes longer than shutdown is left behind, and the others still stop", async () => {
  const { system, clock, never } = await stillSystem();
  await system.startChild(resource({ id: "a", start: () => 1, stop: () => {} }));
  await system.startChild(resource({ id: "b", shutdown: 200, start: () => 2, stop: () => never }));
  const stopped = system.stop();
  await clock.advance(199);
  expect(status(system, "b")?.ref).toBe(2);
  await clock.advance(1);
  expect((await stopped).children).toMatchObject([
    { id: "root/b", killed: true, zombie: true, reason: { kind: "killed" } },
    { id: "root/a", killed: false, zombie: false, reason: { kind: "shutdown" } },
  ]);
});

// Promise: stop-bounded-shutdown-deadline
test("a stop that hangs is held to the deadline of the tree", async () => {
  const { system, clock, never } = await stillSystem();
  for (const id of ["a", "b", "c"]) {
    await system.startChild(resource({ id, shutdown: "infinity", start: () => id, stop: () => never }));
  }
  const stopped = system.stop({ timeoutMs: 300 });
  await clock.advance(300);
  expect((await stopped).children.map(({ killed }) => killed)).toEqual([true, true, true]);
  expect(clock.now()).toBe(300);
});

// Promise: stop-bounded-shutdown-deadline
test("with brutal_kill a resource's stop is called, but not waited for", async () => {
  const { system, clock, never } = await stillSystem();
  let called = false;
  const stop = () => {
    called = true;
    return never;
  };
  await system.startChild(resource({ id: "r", shutdown: "brutal_kill", start: () => 1, stop }));
  const stopped = system.stop();
  await clock.advance(0);
  expect((await stopped).children).toMatchObject([{ killed: true }]);
  expect(called).toBe(true);
});

// Promise: stop-bounded-shutdown-deadline
test("a stop that throws is reported, and the stop of the system succeeds", async () => {
  const system = await testSystem();
  const stop = () => Promise.reject(new Error("will not"));
  await system.startChild(resource({ id: "r", start: () => 1, stop }));
  const exited = new Promise((resolve) => system.on("actor_exited", resolve));
  const { children } = await system.stop();
  expect(children).toMatchObject([{ id: "root/r", killed: false, reason: { kind: "error" } }]);
  expect(await exited).toMatchObject({ context: "shutdown_error", reason: { error: { message: "will not" } } });
});

// Promise: start-fails-hangs-failed
test("a stop during the start waits for the start within its time, and stops what comes of it", async () => {
  const system = await testSystem();
  let come!: (value: string) => void;
  const stopped: unknown[] = [];
  let signal: AbortSignal | undefined;
  const started = codeOf(
    system.startChild(
      resource({
        id: "slow",
        start: (context) => {
          signal = context.signal;
          return new Promise<string>((resolve) => {
            come = resolve;
          });
        },
        stop: (value) => stopped.push(value),
      }),
    ),
  );
  await eventually(() => signal !== undefined);
  const report = system.stop();
  expect(signal?.reason).toEqual({ kind: "shutdown" });
  come("just in time");
  expect((await report).killed).toBe(false);
  expect(stopped).toEqual(["just in time"]);
  expect(await started).toBe("ERR_SYSTEM_STOPPED");
});

// Promise: stops-place-order
test("one_for_all stops and starts a resource with its siblings", async () => {
  const system = await testSystem({ strategy: "one_for_all" });
  const log: string[] = [];
  const logged = (id: string) =>
    resource({
      id,
      start: ({ incarnation, fail }) => {
        log.push(`start ${id} ${incarnation}`);
        return fail;
      },
      stop: (_fail, { kind }) => log.push(`stop ${id} ${kind}`),
    });
  const fail = await system.startChild(logged("a"));
  await system.startChild(logged("b"));
  fail(new Error("boom"));
  await eventually(() => log.length === 6);
  expect(log).toEqual(["start a 1", "start b 1", "stop a error", "stop b shutdown", "start a 2", "start b 2"]);
});
