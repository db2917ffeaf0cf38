import { type ActorRef, type ActorSystem, dynamicSupervisor, isReplyError } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

type Start = <A>(id: string, actor: URL, args?: unknown) => Promise<ActorRef<A>>;

/** What holds for an actor with a thread of its own, for one that shares it and for one in a process, in the same words. */
describe.each([
  ["in a thread of its own", {}],
  ["in a shared thread", { threads: { count: 2, place: "round_robin" } }],
  ["in a process of its own", { template: { isolation: "process", callTimeoutMs: 30_000 } }],
] as const)("%s", (_mode, options) => {
  async function started(): Promise<{ system: ActorSystem; start: Start }> {
    const system = await testSystem({
      children: [dynamicSupervisor({ id: "all", ...options } as never)],
      intensity: 100,
    });
    const all = system.child("all") as unknown as { startChild(spec: object): Promise<ActorRef> };
    const start: Start = async (id, actor, args) =>
      (await all.startChild({ id, actor, args, restart: "temporary" })) as ActorRef<any>;
    return { system, start };
  }
  const member = new URL("./fixtures/member.actor.js", import.meta.url);

  test("a call resolves to what the handler returns, at once or later", async () => {
    const { start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    expect(await echo.call("echo", { a: [1, "two", null], b: new Map([[1, new Date(0)]]) })).toEqual({
      a: [1, "two", null],
      b: new Map([[1, new Date(0)]]),
    });
    expect(await echo.call("echoLater", 7)).toBe(7);
    expect(await echo.call("settle", "nobody", 1)).toBeUndefined();
  });

  test("a ReplyError fails only the call, and keeps message, code and data", async () => {
    const { start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    const error = await echo.call("refuse", "no", "E_NO", { why: "because" }).catch((e: unknown) => e);
    expect(isReplyError(error)).toBe(true);
    expect(error).toMatchObject({ message: "no", code: "E_NO", data: { why: "because" } });
    expect(await echo.call("echo", 1)).toBe(1);
  });

  test("deferred replies answer their own calls in whatever order, and reject when the actor exits", async () => {
    const { system, start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    const [a, b, c] = [echo.call("defer", "a"), echo.call("defer", "b"), echo.call("defer", "c")];
    await echo.call("settle", "b", "for b");
    await echo.call("settle", "a", "for a");
    expect([await a, await b]).toEqual(["for a", "for b"]);
    const lost = c.catch((e: unknown) => e);
    system.exit(echo, "kill");
    expect(await lost).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
  });

  test("a call whose handler throws rejects with ERR_CALL_EXIT and the error as the exit reason", async () => {
    const { start } = await started();
    const counter = await start<typeof Counter>("counter", fixture("counter"));
    const error = await counter.call("crash", "lost count").catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error", error: { message: "lost count" } } });
    expect((error as { reason: { error: unknown } }).reason.error).toBeInstanceOf(TypeError);
    await eventually(async () => (await counter.call("get").catch((e: { code: string }) => e.code)) === "ERR_NOPROC");
  });

  test("a reply that cannot be carried fails the call with ERR_NOT_CLONEABLE and its path", async () => {
    const { start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    const error = await echo.call("unreachable").catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "reply.f" });
  });

  test("state, args and id are the actor's own", async () => {
    const { start } = await started();
    const [one, other] = [
      await start<typeof Counter>("one", fixture("counter"), { start: 5 }),
      await start<typeof Counter>("other", fixture("counter")),
    ];
    expect(await Promise.all([one.call("add", 1), one.call("add", 1), other.call("add", 1)])).toEqual([6, 7, 1]);
    expect(await one.call("incarnation")).toBe(1);
    expect(one.id).toBe("root/all/one");
  });

  test("messages of one sender are handled in order, calls and casts among each other", async () => {
    const { start } = await started();
    const counter = await start<typeof Counter>("counter", fixture("counter"));
    const results: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      if (i % 2 === 0) await counter.cast("add", 1);
      else results.push(await counter.call("add", 1));
    }
    expect(results).toEqual(Array.from({ length: 100 }, (_, i) => 2 * (i + 1)));
  });

  test("5 000 calls at once are all answered, each with its own reply", async () => {
    const { start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    const numbers = Array.from({ length: 5_000 }, (_, i) => i);
    expect(await Promise.all(numbers.map((i) => echo.call("echo", i)))).toEqual(numbers);
  });

  test("actors call each other through references in messages", async () => {
    const { start } = await started();
    const [echo, near, far] = [
      await start<typeof Echo>("echo", fixture("echo")),
      await start<typeof Counter>("near", fixture("counter")),
      await start<typeof Counter>("far", fixture("counter")),
    ];
    expect(await echo.call("addTo", near, 2)).toBe(2);
    expect(await echo.call("addTo", far, 3)).toBe(3);
    const self = await echo.call("callMyself").catch((e: unknown) => e);
    expect(self).toMatchObject({ reason: { error: { code: "ERR_CALLING_SELF" } } });
  });

  test("a monitor sends one DOWN with the reason, and noproc for what is gone", async () => {
    const { system, start } = await started();
    const [a, b, watcher] = [
      await start<typeof Member>("a", member),
      await start<typeof Member>("b", member),
      await start<typeof Member>("watcher", member),
    ];
    await watcher.call("monitor", a);
    await watcher.call("monitor", b);
    await a.call("crash", "x").catch(() => {});
    system.exit(b, { kind: "shutdown", detail: "enough" });
    await eventually(async () => (await watcher.call("told")).length === 2);
    await watcher.call("monitor", a);
    await eventually(async () => (await watcher.call("told")).length === 3);
    expect([...(await watcher.call("told"))].sort()).toEqual(["DOWN a error", "DOWN a noproc", "DOWN b shutdown"]);
  });

  test("ctx.stop ends it with normal, after the current message and with terminate", async () => {
    const { system, start } = await started();
    const a = await start<typeof Member>("a", member);
    const down = new Promise<unknown>((told) => system.monitor(a, ({ reason }) => told(reason)));
    await a.call("stop");
    expect(await down).toEqual({ kind: "normal" });
  });

  test("a call that takes too long rejects with ERR_CALL_TIMEOUT, and an aborted one with ERR_CALL_ABORTED", async () => {
    const { start } = await started();
    const echo = await start<typeof Echo>("echo", fixture("echo"));
    const { code } = (await echo
      .with({ timeoutMs: 20 })
      .call("never")
      .catch((e: { code: string }) => e)) as { code: string };
    expect(code).toBe("ERR_CALL_TIMEOUT");
    const other = await start<typeof Echo>("other", fixture("echo"));
    const abort = new AbortController();
    const call = other.with({ signal: abort.signal }).call("never");
    abort.abort(new Error("enough"));
    expect(await call.catch((e: unknown) => e)).toMatchObject({
      code: "ERR_CALL_ABORTED",
      cause: { message: "enough" },
    });
  });
});
