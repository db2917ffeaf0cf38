import { connect } from "node:net";
import { startObserver } from "@mini-otp/metrics";
import { dynamicSupervisor, supervisor } from "@mini-otp/runtime";
import { Gauge, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import { act, ask, observe } from "./ask.js";
import type Patient from "./fixtures/patient.actor.js";

const patient = new URL("./fixtures/patient.actor.js", import.meta.url);
/** For a machine that has other work. */
const PATIENT_MS = 20_000;

async function observed(options: Parameters<typeof observe>[1] = {}) {
  const system = await testSystem({ name: "clinic" });
  const observer = await observe(system, { token: "open-sesame", ...options });
  return { system, observer, url: observer.url };
}

describe("what is served", () => {
  test("the page, its parts and the chart library come from the server itself", async () => {
    const { url } = await observed();
    const page = await ask(url, "/");
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const parts = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, part]) => part);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.filter((part) => /^(?:\w+:)?\/\//.test(part))).toEqual([]);
    for (const part of [...parts, "ui/uplot.js"]) expect((await ask(url, `/${part}`)).status, part).toBe(200);
  });

  test("every module of the page is served, with what it imports", async () => {
    const { url } = await observed();
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const { status, headers, text } = await ask(url, path);
      expect(status, path).toBe(200);
      expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
      const imports = [...text.matchAll(/(?:from|import\()\s*"(\.\/[^"]+)"/g)];
      for (const [, name] of imports) await visit(`/ui/${name.slice(2)}`);
    };
    await visit("/ui/app.js");
    // Loaded at once, not one after the other as they are found; the charts only when they are looked at.
    const preloaded = [...(await ask(url, "/")).text.matchAll(/modulepreload" href="(ui\/[^"]+)"/g)];
    expect(preloaded.map(([, path]) => `/${path}`).sort()).toEqual(
      [...seen].filter((path) => path !== "/ui/uplot.js").sort(),
    );
    expect(seen.size).toBeGreaterThan(15);
    expect(seen).toContain("/ui/uplot.js");
  });

  test("/metrics is Prometheus text of this system", async () => {
    const { url } = await observed();
    const { status, headers, text } = await ask(url, "/metrics");
    expect(status).toBe(200);
    expect(headers["content-type"]).toMatch(/^text\/plain; version=/);
    expect(text).toMatch(/^# TYPE mini_otp_actor/m);
  });

  test("/metrics shows the registry that is given", async () => {
    const registry = new Registry();
    new Gauge({ name: "answer", help: "To everything.", registers: [registry] }).set(42);
    const { url } = await observed({ registry });
    expect((await ask(url, "/metrics")).text).toContain("answer 42");
  });

  test("/api/tree is the supervision tree with its numbers", async () => {
    const { system, url } = await observed();
    await system.startChild(supervisor({ id: "ward", children: [{ id: "patient", actor: patient }] }));
    const { json } = await ask(url, "/api/tree");
    expect(json).toMatchObject({ id: "root", type: "supervisor", state: "running" });
    const [ward] = json.children;
    expect(ward).toMatchObject({ id: "root/ward", flags: { strategy: "one_for_one", intensity: 3, periodMs: 5000 } });
    expect(ward.children[0]).toMatchObject({ id: "root/ward/patient", stats: { incarnation: 1, heapCapMb: 64 } });
  });

  test("what is not there is 404, and another method is 405", async () => {
    const { url } = await observed();
    expect((await ask(url, "/etc/passwd")).status).toBe(404);
    expect((await ask(url, "/ui/../../package.json")).status).toBe(404);
    expect((await ask(url, "/ui/%2e%2e/package.json")).status).toBe(404);
    expect((await ask(url, "/constructor")).status).toBe(404);
    const refused = await ask(url, "/api/tree", { method: "DELETE" });
    expect([refused.status, refused.headers.allow]).toEqual([405, "GET, HEAD"]);
    expect((await ask(url, "/api/actions")).status).toBe(405);
    expect((await ask(url, "//metrics")).status).toBe(200);
  });

  // Promise: goes-system-stopped-close
  test("close ends open streams, frees the port and may be called again", async () => {
    const { observer, url } = await observed();
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    let received = "";
    let ended = false;
    socket.on("data", (data) => {
      received += String(data);
    });
    socket.on("close", () => {
      ended = true;
    });
    await eventually(() => received.includes("hello"));
    await Promise.all([observer.close(), observer.close()]);
    await eventually(() => ended);
    expect(await ask(url, "/").catch(({ code }) => code)).toBe("ECONNREFUSED");
  });

  test("a port that is taken, and options that cannot be, are clear errors", async () => {
    const { system, url } = await observed();
    const taken = startObserver(system, { port: Number(new URL(url).port) });
    expect(await taken.catch(({ code }) => code)).toBe("EADDRINUSE");
    for (const wrong of [{ port: 70_000 }, { port: 1.5 }, { host: "" }, { token: "" }, { token: "with space" }]) {
      const refused = await startObserver(system, wrong).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(TypeError);
      expect(String(refused)).toContain(`startObserver: ${Object.keys(wrong)[0]}=`);
    }
    expect(String(await startObserver(system, { token: "a secret" }).catch(String))).not.toContain("a secret");
  });

  test("without a token there is a random one", async () => {
    const { observer } = await observed({ token: undefined } as object);
    const other = await observed({ token: undefined } as object);
    expect(observer.token).toMatch(/^[\w-]{22}$/);
    expect(other.observer.token).not.toBe(observer.token);
  });
});

describe("who may ask", () => {
  const paths = ["/", "/metrics", "/api/tree", "/api/events", "/ui/app.js", "/nowhere"];

  // Promise: request-host-origin-server
  test("a wrong Host gets 403 everywhere, so that no name can be made to point here", async () => {
    const { url } = await observed();
    const { port } = new URL(url);
    const wrong = [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      "127.0.0.1:1",
      `localhost.evil.example:${port}`,
    ];
    wrong.push(`10.0.0.1:${port}`, `user@127.0.0.1:${port}`, `127.0.0.1:${port}/`, `[::1`);
    for (const host of wrong) {
      for (const path of paths) {
        const { status, json } = await ask(url, path, { headers: { host } });
        expect([status, json.code], `${host} ${path}`).toEqual([403, "ERR_HOST"]);
      }
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect((await ask(url, "/api/tree", { headers: { host } })).status, host).toBe(200);
    }
  });

  // Promise: request-host-origin-server
  test("a wrong Origin gets 403, whatever the method", async () => {
    const { url, observer } = await observed();
    const { host, port } = new URL(url);
    for (const origin of ["http://evil.example", "null", `http://localhost:${port}`, `http://127.0.0.1:1`, "junk"]) {
      for (const path of paths) {
        const { status, json } = await ask(url, path, { headers: { origin, host } });
        expect([status, json.code], `${origin} ${path}`).toEqual([403, "ERR_ORIGIN"]);
      }
      const headers = {
        origin,
        "content-type": "application/json",
        authorization: `Bearer ${observer.token}`,
      };
      const posted = await ask(url, "/api/actions", { method: "POST", headers, body: "{}" });
      expect(posted.status).toBe(403);
    }
    expect((await ask(url, "/api/tree", { headers: { origin: url } })).status).toBe(200);
  });

  test("a browser that says it asks for another site's page gets 403, and may follow a link to the page", async () => {
    const { url } = await observed();
    for (const site of ["cross-site", "same-site"]) {
      const asked = (path: string, mode: string) =>
        ask(url, path, { headers: { "sec-fetch-site": site, "sec-fetch-mode": mode } });
      expect((await asked("/api/tree", "no-cors")).status).toBe(403);
      expect((await asked("/api/events", "no-cors")).status).toBe(403);
      expect((await asked("/", "no-cors")).status).toBe(403);
      expect((await asked("/", "navigate")).status).toBe(200);
    }
  });

  test("names of a proxy in front are allowed by option", async () => {
    const { url } = await observed({ allowedHosts: ["ops.example", "other.example:8080"] });
    const status = async (host: string) => (await ask(url, "/api/tree", { headers: { host } })).status;
    expect(await status("ops.example")).toBe(200);
    expect(await status("ops.example:443")).toBe(200);
    expect(await status("other.example:8080")).toBe(200);
    expect(await status("other.example")).toBe(403);
    expect(await status("not-ops.example")).toBe(403);
  });

  test("a server on every address goes by addresses, and by no other name", async () => {
    const { url } = await observed({ host: "0.0.0.0" });
    const { port, hostname } = new URL(url);
    expect(hostname).toBe("127.0.0.1");
    const status = async (host: string) => (await ask(url, "/api/tree", { headers: { host } })).status;
    expect(await status(`192.0.2.7:${port}`)).toBe(200);
    expect(await status(`evil.example:${port}`)).toBe(403);
  });

  test("every answer forbids scripts from elsewhere, inline ones, markup from strings, framing and guessing of types", async () => {
    const { url } = await observed();
    for (const path of [...paths.filter((path) => path !== "/api/events"), "/api/actions"]) {
      const { headers } = await ask(url, path);
      const policy = headers["content-security-policy"] ?? "";
      expect(policy, path).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect((await ask(url, "/")).text).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=/i);
  });
});

describe("actions", () => {
  async function ward() {
    const all = await observed();
    const started = await all.system.startChild<typeof Patient>({
      id: "patient",
      actor: patient,
      startTimeoutMs: PATIENT_MS,
    });
    const actor = started.with({ timeoutMs: PATIENT_MS });
    const act_ = (action: string, id = "root/patient") => act(all.observer, "open-sesame", action, id);
    return { ...all, actor, act: act_ };
  }

  // Promise: without-token-nothing-done
  test("without the token nothing is done", async () => {
    const { system, observer, actor } = await ward();
    for (const token of [undefined, "", "open-sesam", "open-sesame2", "OPEN-SESAME", "open-sesame,open-sesame"]) {
      const { status, json, headers } = await act(observer, token, "kill", "root/patient");
      expect([status, json.code, headers["www-authenticate"]]).toEqual([401, "ERR_TOKEN", "Bearer"]);
    }
    const inQuery = await ask(observer.url, "/api/actions?token=open-sesame", { method: "POST", body: "{}" });
    expect(inQuery.status).toBe(401);
    expect(await actor.call("incarnation")).toBe(1);
    expect(system.stats(actor).state).toBe("running");
  });

  // Promise: without-token-nothing-done
  test("kill ends the actor, and its supervisor starts it again", async () => {
    const { system, actor, act } = await ward();
    const reasons: string[] = [];
    system.on("actor_exited", ({ reason }) => reasons.push(reason.kind));
    expect(await act("kill")).toMatchObject({ status: 200, json: { done: "kill" } });
    await eventually(() => system.stats(actor).incarnation === 2 && system.stats(actor).state === "running");
    expect(reasons).toEqual(["killed"]);
  });

  test("kill ends an actor that another has started, whose row is below its parent's", async () => {
    const { system, act } = await ward();
    const actor = new URL("../fixtures/nest.actor.js", import.meta.url);
    await system.startChild({ id: "nest", actor, args: { children: ["egg"] }, startTimeoutMs: PATIENT_MS });
    const exited: string[] = [];
    system.on("actor_exited", ({ id }) => exited.push(id));
    expect(await act("kill", "root/nest/egg")).toMatchObject({ status: 200, json: { done: "kill" } });
    await eventually(() => exited.includes("root/nest/egg"));
    expect(await act("kill", "root/nest/none")).toMatchObject({ status: 404 });
  });

  // Promise: suspended-actor-s-state
  test("suspend and resume hold its messages and let them go, and its state says so", async () => {
    const { system, actor, act } = await ward();
    expect((await act("suspend")).status).toBe(200);
    expect(system.stats(actor).state).toBe("suspended");
    const work = actor.call("work");
    expect(system.stats(actor).mailbox.length).toBe(1);
    expect((await act("resume")).status).toBe(200);
    expect(await work).toBe(1);
    expect(system.stats(actor).state).toBe("running");
  });

  // Promise: suspended-actor-s-state
  test("an actor that is started again is not suspended any more", async () => {
    const { system, actor, act } = await ward();
    await act("suspend");
    await act("kill");
    await eventually(() => system.stats(actor).incarnation === 2 && system.stats(actor).state === "running");
    expect(await actor.call("work")).toBe(1);
  });

  // Promise: restart-orderly-stop-start
  test("restart is an orderly stop and a start, and costs none of the intensity", async () => {
    const { system, actor, act } = await ward();
    const reasons: string[] = [];
    system.on("actor_exited", ({ reason }) => reasons.push(reason.kind));
    for (let i = 0; i < 5; i++) expect((await act("restart")).status).toBe(200);
    expect(await actor.call("incarnation")).toBe(6);
    expect(reasons).toEqual(Array(5).fill("shutdown"));
  });

  test("restart starts what is stopped, and a whole supervisor", async () => {
    const { system, act } = await ward();
    await system.terminateChild("patient");
    expect((await act("restart")).status).toBe(200);
    expect(system.whichChildren()[0].state).toBe("running");
    await system.startChild(supervisor({ id: "ward", children: [{ id: "patient", actor: patient }] }));
    const exited: string[] = [];
    system.on("actor_exited", ({ id, reason }) => exited.push(`${id} ${reason.kind}`));
    expect((await act("restart", "root/ward")).status).toBe(200);
    expect(exited).toEqual(["root/ward/patient shutdown", "root/ward shutdown"]);
    expect(system.child("ward").countChildren().active).toBe(1);
  });

  test("a child of a dynamic supervisor is started again, not forgotten", async () => {
    const { system, act } = await ward();
    const dynamic = await system.startChild(dynamicSupervisor({ id: "many", template: { id: "one", actor: patient } }));
    const one = await dynamic.startChild<typeof Patient>({ id: "one" });
    expect((await act("restart", "root/many/one")).status).toBe(200);
    await eventually(() => system.stats(one).incarnation === 2 && system.stats(one).state === "running");
  });

  test("what cannot be done is refused with a code and a reason", async () => {
    const { system, observer, act } = await ward();
    await system.startChild({ id: "mayfly", actor: patient, restart: "temporary" });
    expect(await act("kill", "root/nobody")).toMatchObject({ status: 404, json: { code: "ERR_NOT_FOUND" } });
    expect(await act("kill", "root")).toMatchObject({ status: 404 });
    expect(await act("restart", "root/mayfly")).toMatchObject({ status: 409, json: { code: "ERR_NOT_RESTARTABLE" } });
    await system.startChild(supervisor({ id: "ward", children: [] }));
    expect(await act("suspend", "root/ward")).toMatchObject({ status: 409, json: { code: "ERR_NOT_AN_ACTOR" } });
    await system.terminateChild("patient");
    expect(await act("suspend")).toMatchObject({ status: 409, json: { code: "ERR_NOPROC" } });
    expect(await act("kill")).toMatchObject({ status: 409, json: { code: "ERR_NOPROC" } });
    expect(await act("explode")).toMatchObject({ status: 400, json: { code: "ERR_REQUEST" } });
    const send = (body: string, type = "application/json") =>
      ask(observer.url, "/api/actions", {
        method: "POST",
        headers: { "content-type": type, authorization: "Bearer open-sesame" },
        body,
      });
    expect((await send("{")).status).toBe(400);
    expect((await send("null")).status).toBe(400);
    expect((await send(`"${"x".repeat(20_000)}"`)).status).toBe(400);
    expect((await send('{"id":"root/patient","action":"kill"}', "text/plain")).status).toBe(415);
  });
});
