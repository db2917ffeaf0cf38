import { connect } from "node:net";
import { type ActorRef, type ActorSystem, supervisor } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import { act, ask, observe } from "./ask.js";
import type Patient from "./fixtures/patient.actor.js";
import { EventStream } from "./sse.js";

const patient = new URL("./fixtures/patient.actor.js", import.meta.url);
/** For a machine that has other work. */
const PATIENT_MS = 20_000;
const HOSTILE = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>';

async function ward(options: Parameters<typeof observe>[1] = {}) {
  const system = await testSystem({ name: "clinic", intensity: 1000 });
  const started = await system.startChild<typeof Patient>({
    id: "patient",
    actor: patient,
    startTimeoutMs: PATIENT_MS,
  });
  const actor = started.with({ timeoutMs: PATIENT_MS });
  const observer = await observe(system, { token: "open-sesame", ...options });
  const open = (path?: string, headers?: Record<string, string>) => EventStream.open(observer.url, path, headers);
  return { system, actor, observer, open };
}

test("a stream begins with who is there, the whole tree and the process", async () => {
  const { open } = await ward();
  const stream = await open();
  await eventually(() => stream.of("process").length > 0);
  expect(stream.of("hello")[0]).toMatchObject({ name: "clinic", pid: process.pid, node: process.version });
  expect(stream.of("tree")[0]).toMatchObject({ whole: true, system: "running", order: ["root", "root/patient"] });
  expect(stream.row("root/patient")).toMatchObject({ name: "patient", depth: 1, state: "running", restarts: 0 });
  const { rssMb, threads, loopDelay } = stream.of("process")[0];
  expect(rssMb).toBeGreaterThan(10);
  expect(threads).toBe(1);
  expect(loopDelay.p99Ms).toBeGreaterThanOrEqual(0);
});

test("a crash and the restart that follows are told, as events and in the tree", async () => {
  const { actor, open } = await ward();
  const stream = await open();
  await eventually(() => stream.row("root/patient") !== undefined);
  await actor.call("crash", "it hurts").catch(() => {});
  await eventually(() => stream.row("root/patient").restarts === 1);
  const exited = stream.events.find(({ event }) => event === "actor_exited");
  expect(exited).toMatchObject({ id: "root/patient", incarnation: 1, failed: true, reason: { kind: "error" } });
  await eventually(() => stream.events.some(({ event }) => event === "actor_restarted"));
  expect(stream.row("root/patient").lastExit).toMatchObject({ kind: "error", failed: true });
  expect(stream.row("root/patient").lastExit.text).toContain("it hurts");
});

test("only what has changed is sent again", async () => {
  const { system, open } = await ward();
  await system.startChild(supervisor({ id: "quiet", children: [] }));
  const stream = await open();
  await eventually(() => stream.row("root/quiet") !== undefined);
  const before = stream.of("tree").length;
  await system.startChild({ id: "new", actor: patient });
  await eventually(() => stream.row("root/new")?.state === "running");
  const later = stream.of("tree").slice(before);
  expect(later.flatMap(({ rows }) => rows).filter(({ id }) => id === "root/quiet")).toEqual([]);
  expect(later.some(({ order }) => order?.includes("root/new"))).toBe(true);
  await system.terminateChild("new");
  await system.deleteChild("new");
  await eventually(() => stream.of("tree").at(-1).order?.includes("root/new") === false);
});

// Promise: reader-comes-back-gets
test("a reader that comes back gets the events it has missed, and none twice", async () => {
  const { actor, open } = await ward();
  const first = await open();
  await actor.call("crash", "one").catch(() => {});
  await eventually(() => first.events.some(({ event }) => event === "actor_restarted"));
  first.close();
  const lastId = first.received.findLast(({ id }) => id !== undefined)?.id ?? "";
  await actor.call("crash", "two").catch(() => {});
  const second = await open("/api/events", { "last-event-id": lastId });
  await eventually(() => second.events.some(({ event }) => event === "actor_restarted"));
  expect(second.events[0].seq).toBe(Number(lastId) + 1);
});

test("an actor's page has its log, its last crash and its charts, also of what was before", async () => {
  const { actor, open } = await ward();
  await actor.call("say", { secret: "s3cret" }, "hello %s");
  await actor.call("sayFailure", "too far");
  await actor.call("crash", "it hurts").catch(() => {});
  const stream = await open("/api/events?actor=root%2Fpatient");
  await eventually(() => stream.of("actor").some(({ crash }) => crash !== undefined));
  const [{ lines, whole }] = stream.of("actor");
  expect(whole).toBe(true);
  expect(lines).toMatchObject([
    { level: "info", message: "hello %s", incarnation: 1 },
    { level: "error", message: "it failed" },
  ]);
  expect(lines[1].error).toContain("RangeError: too far");
  const { crash } = stream.of("actor").findLast((update) => update.crash !== undefined);
  expect(crash).toMatchObject({ incarnation: 1, lastMethod: "crash", heapCapMb: 64, context: "child_terminated" });
  expect(crash.stack).toContain("patient.actor");
  await eventually(() => stream.of("history").filter(({ actor }) => actor?.times.length > 0).length > 1);
  expect(stream.of("history")[0].actor.whole).toBe(true);
  await actor.call("say", {}, "later");
  await eventually(() => stream.of("actor").some(({ lines }) => lines.some(({ message }: any) => message === "later")));
});

// Promise: message-contents-sent-log
test("no message contents and no log fields are sent; fields come by option", async () => {
  const { actor, open } = await ward();
  const stream = await open("/api/events?actor=root%2Fpatient");
  await actor.call("say", { secret: "s3cret-field" }, "said");
  await eventually(() => stream.of("actor").some(({ lines }) => lines.length > 0));
  expect(JSON.stringify(stream.received)).not.toContain("s3cret");
  const other = await ward({ logFields: true });
  const open2 = await other.open("/api/events?actor=root%2Fpatient");
  await other.actor.call("say", { batch: 3 }, "said");
  await eventually(() => open2.of("actor").some(({ lines }) => lines[0]?.fields === '{"batch":3}'));
});

test("a log storm is bounded, and what is not kept is counted", async () => {
  const { actor, open } = await ward();
  for (let i = 0; i < 500; i++) await actor.cast("say", {}, `line ${i} ${"x".repeat(5000)}`);
  await actor.call("work");
  const stream = await open("/api/events?actor=root%2Fpatient");
  await eventually(() => stream.of("actor").length > 0);
  const [{ lines, skippedLines }] = stream.of("actor");
  expect(lines.length).toBeLessThanOrEqual(100);
  expect(lines.at(-1).message).toMatch(/^line 499 x+… \(\d+ more\)$/);
  expect(lines.length + skippedLines).toBe(500);
});

/** One whose messages are all dropped, and each drop is an event. */
async function dropping(system: ActorSystem): Promise<ActorRef<typeof Patient>> {
  const mailbox = { capacity: 1, overflow: "drop_newest" } as const;
  const actor = await system.startChild<typeof Patient>({ id: "full", actor: patient, mailbox });
  await system.suspend(actor);
  await actor.cast("work");
  return actor;
}

// Promise: reader-comes-back-gets
test("in a storm of events a reader gets the latest, and is told how many it has missed", async () => {
  const { system, open } = await ward();
  const full = await dropping(system);
  const stream = await open();
  await eventually(() => stream.row("root/full") !== undefined);
  const told = () => stream.events.filter(({ event }) => event === "dead_letter" || event === "mailbox_full").length;
  const skipped = () => stream.of("skipped").reduce((sum, { count }) => sum + count, 0);
  const storm = 5000;
  await Promise.all(Array.from({ length: storm }, () => full.cast("work")));
  // A dead letter for each, and once that the mailbox is full.
  await eventually(() => told() + skipped() === storm + 1);
  expect(skipped()).toBeGreaterThan(1000);
});

// Promise: reader-does-read-sent
test("a reader that does not read is sent no more than a bounded amount, and slows no other reader down", async () => {
  const { system, actor, observer, open } = await ward({ readerTimeoutMs: 60_000 });
  const full = await dropping(system);
  const path = "/api/events?actor=root%2Fpatient";
  const { host, port } = new URL(observer.url);
  const slow = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void slow.destroy());
  slow.on("error", () => {});
  slow.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let received = 0;
  slow.on("data", ({ length }) => {
    received += length;
  });
  await eventually(() => received > 0);
  slow.pause();
  const quick = await open(path);
  // More than the system's socket buffers take, which are 6 MB at the most.
  const enough = 14 * 1024 * 1024;
  while (quick.bytes < enough) {
    for (let i = 0; i < 20; i++) await actor.cast("sayFailure", "x".repeat(9000));
    await actor.with({ timeoutMs: 20_000 }).call("work");
    await full.cast("work");
  }
  slow.resume();
  const { seq } = quick.events.at(-1);
  let text = "";
  slow.setEncoding("utf8");
  slow.on("data", (chunk: unknown) => {
    text = (text + String(chunk)).slice(-1_000_000);
  });
  // It goes on with what is new.
  await full.cast("work");
  await eventually(() => text.includes(`id: ${seq + 1}\n`));
  expect(received).toBeLessThan(enough * 0.75);
}, 60_000);

test("there is a limit to how many may look at once", async () => {
  const { observer, open } = await ward();
  for (let i = 0; i < 32; i++) await open();
  const refused = await ask(observer.url, "/api/events");
  expect([refused.status, refused.json.code, refused.headers["retry-after"]]).toEqual([
    503,
    "ERR_TOO_MANY_VIEWERS",
    "10",
  ]);
});

// Promise: names-errors-log-lines
test("hostile names, errors and log lines stay data: JSON, under a policy that runs no script of theirs", async () => {
  const { system, observer, open } = await ward();
  const id = `evil ${HOSTILE}`.replaceAll("/", "");
  const evil = await system.startChild<typeof Patient>({ id, actor: patient });
  const path = `root/${id}`;
  const stream = await open(`/api/events?actor=${encodeURIComponent(path)}`);
  await evil.call("say", {}, `line one\n\nevent: hello\ndata: {}\n\n${HOSTILE}`);
  await evil.call("crash", HOSTILE).catch(() => {});
  await eventually(() => stream.of("actor").some(({ crash }) => crash?.reason.text.includes("onerror")));
  expect(stream.of("hello").length).toBe(1);
  const lines = stream.of("actor").flatMap((update) => update.lines);
  expect(lines[0].message).toContain("event: hello");
  await eventually(() => stream.row(path)?.name === id);
  const { headers, text } = await ask(observer.url, "/api/tree");
  expect(headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(JSON.parse(text).children.map((child: { id: string }) => child.id)).toContain(path);
  expect((await ask(observer.url, "/")).text).not.toContain("onerror");
  await evil.with({ timeoutMs: 20_000 }).call("work");
  expect((await act(observer, "open-sesame", "kill", path)).status).toBe(200);
});

test("what is done on the page is in the feed", async () => {
  const { observer, open } = await ward();
  const stream = await open();
  await act(observer, "open-sesame", "suspend", "root/patient");
  await eventually(() => stream.row("root/patient")?.state === "suspended");
  expect(stream.events).toContainEqual(expect.objectContaining({ event: "operator", method: "suspend" }));
});

// Promise: goes-system-stopped-close
test("after the system has stopped the observer says so, until it is closed", async () => {
  const { system, observer, open } = await ward();
  const stream = await open();
  await system.stop();
  await eventually(() => stream.of("tree").at(-1)?.system === "stopped");
  expect((await ask(observer.url, "/api/tree")).json.state).toBe("stopped");
});
