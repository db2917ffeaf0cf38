import { supervisor } from "@mini-otp/runtime";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import { findTool, tool } from "../support/tools.js";
import { ask, observe } from "./ask.js";
import { launchBrowser, openPage } from "./browser.js";
import type Patient from "./fixtures/patient.actor.js";

const patient = new URL("./fixtures/patient.actor.js", import.meta.url);
/** For a machine that has other work. */
const PATIENT_MS = 20_000;
const TOKEN = "open-sesame";

let browser: Browser;
beforeAll(async () => {
  if (findTool("chromium") !== undefined) browser = await launchBrowser();
}, 60_000);
beforeEach(() => void tool("chromium"));
afterAll(() => browser?.close());

async function ward() {
  const system = await testSystem({ name: "clinic", intensity: 1000 });
  const started = await system.startChild<typeof Patient>({
    id: "patient",
    actor: patient,
    startTimeoutMs: PATIENT_MS,
  });
  const actor = started.with({ timeoutMs: PATIENT_MS });
  const observer = await observe(system, { token: TOKEN });
  return { system, actor, observer, url: observer.url };
}

const row = (page: Page, id: string) => page.locator(`tr[data-id=${JSON.stringify(id)}]`);
const node = (id: string) => `#/node/${encodeURIComponent(id)}`;

// Promise: crash-shown-within-two
test("the tree shows a crash and the restart within two seconds", async () => {
  const { actor, url } = await ward();
  const { page, complaints } = await openPage(browser, url);
  await row(page, "root/patient").locator(".state", { hasText: "running" }).waitFor();
  const crashedAt = performance.now();
  await actor.call("crash", "it hurts").catch(() => {});
  await actor.with({ timeoutMs: 20_000 }).call("work");
  const restartedAt = performance.now();
  const line = row(page, "root/patient");
  await line.locator(".doing", { hasText: "it hurts" }).waitFor();
  await line.locator(".restarts", { hasText: "1" }).waitFor();
  // From when it was restarted: how long that takes is not the page's doing.
  expect(performance.now() - restartedAt).toBeLessThan(2000);
  expect(crashedAt).toBeLessThan(restartedAt);
  await page.locator("#feed .event[data-tone=bad]", { hasText: "it hurts" }).waitFor();
  await page.locator("#feed .event", { hasText: "restarted, incarnation 2" }).waitFor();
  expect(complaints).toEqual([]);
});

test("an actor's page has its numbers, its log, its last crash and charts that move", async () => {
  const { actor, url } = await ward();
  await actor.cast("say", {}, "a line from before");
  await actor.call("crash", "it hurts").catch(() => {});
  const { page, complaints } = await openPage(browser, url, { hash: node("root/patient") });
  await page.locator(".log .message", { hasText: "a line from before" }).waitFor();
  await page.locator(".crash .reason", { hasText: "it hurts" }).waitFor();
  await page.locator(".crash pre", { hasText: "patient.actor" }).waitFor();
  await page.locator(".facts div", { hasText: /Incarnation\s*2/ }).waitFor();
  const canvases = page.locator("#node-body .uplot canvas");
  await canvases.nth(3).waitFor();
  const picture = () => canvases.nth(1).evaluate((canvas: any) => canvas.toDataURL());
  const before = await picture();
  const busy = setInterval(() => void actor.tryCast("work"), 20);
  onTestFinished(() => clearInterval(busy));
  await page.locator("#node-body .chart").nth(1).locator(".now", { hasText: /[1-9]/ }).waitFor();
  // The canvas is drawn after the caption is written.
  let moved = false;
  const look = async () => {
    while (!moved) moved = (await picture()) !== before;
  };
  look().catch(() => {});
  await eventually(() => moved);
  await actor.cast("say", {}, "a line from now");
  await page.locator(".log .message", { hasText: "a line from now" }).waitFor();
  expect(complaints).toEqual([]);
});

describe("actions", () => {
  // Promise: without-token-nothing-done
  test("kill is refused without the token, and works with it", async () => {
    const { system, actor, url } = await ward();
    const { page, complaints } = await openPage(browser, url, { hash: node("root/patient") });
    const answers: number[] = [];
    page.on("response", (response) => {
      if (response.url().includes("/api/actions")) answers.push(response.status());
    });
    const kill = page.getByRole("button", { name: "Kill", exact: true }).first();
    await kill.click();
    const dialog = page.locator("#token-dialog");
    await dialog.getByLabel("Token").fill("open-barley");
    await dialog.getByRole("button", { name: "Unlock" }).click();
    await dialog.getByRole("alert").filter({ hasText: "not the token" }).waitFor();
    await page.keyboard.press("Escape");
    const unauthorized = await page.evaluate(async () => {
      const body = JSON.stringify({ action: "kill", id: "root/patient" });
      const headers = { "content-type": "application/json" };
      return (await fetch("api/actions", { method: "POST", headers, body })).status;
    });
    expect(unauthorized).toBe(401);
    expect(system.stats(actor).incarnation).toBe(1);
    // That the browser reports the two refusals is right; nothing else has gone wrong.
    expect(complaints.splice(0).filter((text) => !text.includes("401"))).toEqual([]);

    await kill.click();
    await dialog.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    const sure = page.locator("#confirm-dialog");
    await sure.getByRole("button", { name: "Cancel" }).click();
    expect(system.stats(actor).incarnation).toBe(1);
    await kill.click();
    await sure.getByRole("button", { name: "Kill" }).click();
    await page.locator(".toast", { hasText: "Kill: root/patient: done" }).waitFor();
    await page.locator(".crash .reason", { hasText: "killed" }).waitFor();
    await eventually(() => system.stats(actor).incarnation === 2);
    expect(answers).toEqual([401, 200]);
    expect(complaints).toEqual([]);
  });

  test("the address with the token unlocks them, and loses the token at once", async () => {
    const { system, actor, url } = await ward();
    const { page, complaints } = await openPage(browser, url, { hash: `#token=${TOKEN}` });
    await page.getByRole("button", { name: "Lock actions" }).waitFor();
    expect(page.url()).not.toContain(TOKEN);
    await row(page, "root/patient").locator("a").click();
    await page.getByRole("button", { name: "Suspend" }).click();
    await page.locator("#node-state", { hasText: "suspended" }).waitFor();
    expect(system.stats(actor).state).toBe("suspended");
    await page.getByRole("button", { name: "Resume" }).click();
    await page.locator("#node-state", { hasText: "running" }).waitFor();
    await page.getByRole("button", { name: "Restart", exact: true }).click();
    await page.locator("#confirm-dialog").getByRole("button", { name: "Restart", exact: true }).click();
    await page.locator("#feed .event", { hasText: "exited: shutdown" }).waitFor({ state: "attached" });
    await eventually(() => system.stats(actor).incarnation === 2);
    expect(complaints).toEqual([]);
  });
});

test("a page of another origin can neither read nor do anything", async () => {
  const { system, actor, url } = await ward();
  const other = await observe(await testSystem(), { token: TOKEN });
  const { page } = await openPage(browser, url);
  // Its own policy would stop it before ours does.
  await page.route("**/stranger", (route) => route.fulfill({ contentType: "text/html", body: "<p>stranger</p>" }));
  const { port } = new URL(other.url);
  await page.goto(`${url}/stranger`);
  const outcome = await page.evaluate(async (target: string) => {
    const tried = async (path: string, options: object) =>
      fetch(target + path, options).then(
        (response) => `${response.type} ${response.status}`,
        () => "refused",
      );
    const body = JSON.stringify({ action: "kill", id: "root/patient" });
    return [
      await tried("/api/tree", {}),
      await tried("/api/actions", { method: "POST", headers: { "content-type": "application/json" }, body }),
      await tried("/api/actions", { method: "POST", mode: "no-cors", body }),
    ];
  }, `http://127.0.0.1:${port}`);
  expect(outcome.slice(0, 2)).toEqual(["refused", "refused"]);
  expect(outcome[2]).not.toContain("200");
  const { status } = await ask(url, "/", { headers: { host: "evil.example" } });
  expect(status).toBe(403);
  expect((await ask(url, "/api/tree", { headers: { origin: "http://evil.example" } })).status).toBe(403);
  expect(system.stats(actor).incarnation).toBe(1);
});

// Promise: names-errors-log-lines
test("hostile names, errors and log lines are shown, and do nothing", async () => {
  const { system, url } = await ward();
  const hostile = "<img src=x onerror=alert(1)><script>alert(2)<\\script>";
  const evil = await system.startChild<typeof Patient>({ id: hostile, actor: patient });
  await evil.cast("say", {}, hostile);
  await evil.call("crash", hostile).catch(() => {});
  const path = `root/${hostile}`;
  const { page, complaints } = await openPage(browser, url, { hash: node(path) });
  await page.locator(".log .message", { hasText: hostile }).waitFor();
  await page.locator(".crash .reason", { hasText: hostile }).waitFor();
  await page.locator("#node-title", { hasText: path }).waitFor();
  await row(page, path).waitFor();
  expect(await page.locator("img:not(.brand img), script:not([src^='ui/'])").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("everything can be done by keyboard", async () => {
  const { system, url } = await ward();
  await system.startChild(supervisor({ id: "ward", children: [{ id: "inner", actor: patient }] }));
  const { page, complaints } = await openPage(browser, url);
  await row(page, "root/ward/inner").waitFor();
  const focused = () => page.evaluate("document.activeElement?.dataset.id ?? document.activeElement?.id");
  await row(page, "root").focus();
  for (const [key, id] of [
    ["End", "root/ward/inner"],
    ["ArrowLeft", "root/ward"],
    ["ArrowUp", "root/patient"],
    ["Home", "root"],
    ["ArrowRight", "root/patient"],
  ]) {
    await page.keyboard.press(key);
    expect(await focused(), key).toBe(id);
  }
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowLeft");
  await row(page, "root/ward/inner").waitFor({ state: "detached" });
  expect(await row(page, "root/ward").getAttribute("aria-expanded")).toBe("false");
  await page.keyboard.press("ArrowRight");
  await row(page, "root/ward/inner").waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.locator("#node-title", { hasText: "root/ward/inner" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#node-panel").waitFor({ state: "hidden" });
  expect(await focused()).toBe("root/ward/inner");
  await page.keyboard.press("/");
  await page.keyboard.type("pati");
  await row(page, "root/ward").waitFor({ state: "detached" });
  expect(await page.locator("#tree-rows tr").count()).toBe(2);
  expect(complaints).toEqual([]);
});

test("it fits a narrow screen, in light and in dark", async () => {
  const { actor, url } = await ward();
  await actor.call("crash", "it hurts ".repeat(40)).catch(() => {});
  for (const colorScheme of ["light", "dark"] as const) {
    for (const hash of ["", node("root/patient"), "#/events", "#/process"]) {
      const { page, complaints } = await openPage(browser, url, { hash, width: 390, colorScheme });
      await page.locator("#connection", { hasText: "live" }).waitFor();
      await page.locator("#total-memory", { hasText: /\d/ }).waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
      expect(complaints).toEqual([]);
    }
  }
});

test("names are whole on a narrow screen", async () => {
  const { system, url } = await ward();
  await system.startChild(supervisor({ id: "ward", children: [{ id: "patient-number-9", actor: patient }] }));
  const { page } = await openPage(browser, url, { width: 390 });
  const names = row(page, "root/ward/patient-number-9").locator(".name");
  await names.waitFor();
  expect(await names.evaluate((name: any) => name.scrollWidth <= name.clientWidth)).toBe(true);
});

test.each([320, 390])("the legend of every chart is whole on a screen of %s px", async (width) => {
  const { url } = await ward();
  for (const [hash, charts] of [
    [node("root/patient"), 4],
    ["#/process", 6],
  ] as const) {
    const { page } = await openPage(browser, url, { hash, width });
    await page
      .locator(".chart .uplot")
      .nth(charts - 1)
      .waitFor();
    for (const caption of await page.locator(".chart figcaption").all()) {
      const [cut, text] = (await caption.evaluate((element: any) => [
        [element, ...element.querySelectorAll("*")].some((part) => part.scrollWidth > part.clientWidth + 1),
        element.textContent,
      ])) as [boolean, string];
      expect(cut, text).toBe(false);
    }
  }
});

test("the process page shows threads, memory, event loop and totals, with charts", async () => {
  const { actor, url } = await ward();
  await actor.call("crash", "it hurts").catch(() => {});
  const { page, complaints } = await openPage(browser, url, { hash: "#/process" });
  await page.locator("#process-page .card", { hasText: "Threads of actors" }).waitFor();
  await page.locator("#process-page .card", { hasText: /Exits by reason\s*error\s*1/ }).waitFor();
  await page.locator("#process-page .uplot canvas").nth(5).waitFor();
  await page.locator(".chart", { hasText: "event-loop delay" }).locator(".now", { hasText: "ms" }).waitFor();
  expect(complaints).toEqual([]);
});

test("a connection that is lost is shown, and taken up again", async () => {
  const system = await testSystem();
  await system.startChild({ id: "patient", actor: patient });
  const observer = await observe(system);
  const port = Number(new URL(observer.url).port);
  const { page } = await openPage(browser, observer.url);
  await row(page, "root/patient").waitFor();
  await observer.close();
  await page.locator("#connection", { hasText: "disconnected" }).waitFor();
  await observe(system, { port });
  await page.locator("#connection", { hasText: "live" }).waitFor();
  await system.terminateChild("patient");
  await row(page, "root/patient").locator(".state", { hasText: "stopped" }).waitFor();
});
