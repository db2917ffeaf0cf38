import { dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { testSystem } from "../support/system.js";
import { findTool, tool } from "../support/tools.js";
import { observe } from "./ask.js";
import { launchBrowser, openPage } from "./browser.js";

const light = new URL("../light/fixtures/member.actor.js", import.meta.url);
const patient = new URL("./fixtures/patient.actor.js", import.meta.url);

let browser: Browser;
beforeAll(async () => {
  if (findTool("chromium") !== undefined) browser = await launchBrowser();
}, 60_000);
beforeEach(() => void tool("chromium"));
afterAll(() => browser?.close());

const row = (page: Page, id: string) => page.locator(`tr[data-id=${JSON.stringify(id)}]`);

describe("at size", () => {
  test("500 actors render in under a second, and stay usable in a restart storm", async () => {
    const system = await testSystem({ name: "crowd", intensity: 100_000 });
    const groups = 20;
    for (let group = 0; group < groups; group++) {
      const id = `group-${group}`;
      const dynamic = await system.startChild(dynamicSupervisor({ id, intensity: 100_000 }));
      const ids = Array.from({ length: 25 }, (_, i) => `actor-${i}`);
      await Promise.all(
        ids.map((id) => dynamic.startChild({ id, actor: patient, heapCapMb: 32, startTimeoutMs: 60_000 })),
      );
    }
    const { url } = await observe(system);
    const { page, complaints } = await openPage(browser, url);
    await page.locator("#tree-rows tr").nth(520).waitFor({ state: "attached" });
    // The page marks when it has the tree, and the frame after the one that shows it.
    const renderedMs = await page.evaluate(`(() => {
      const at = (name) => performance.getEntriesByName(name)[0].startTime;
      return at("tree-rendered") - at("tree-received");
    })()`);
    expect(renderedMs).toBeLessThan(1000);

    const stormed = system.child("group-0").child("actor-0");
    const storm = setInterval(() => void stormed.tryCast("crash", "storm"), 1);
    onTestFinished(() => clearInterval(storm));
    await page.locator("#feed .times", { hasText: /×\d/ }).first().waitFor();
    await page.getByLabel("Filter by path").fill("group-7/");
    await row(page, "root/group-0").waitFor({ state: "detached" });
    expect(await page.locator("#tree-rows tr").count()).toBe(27);
    expect(await page.locator("#feed .event").count()).toBeLessThanOrEqual(300);
    expect(complaints).toEqual([]);
  }, 420_000);

  test("100 000 light actors are two lines of the tree, and come by the page", async () => {
    const spec = dynamicSupervisor({
      id: "many",
      threads: { count: 2, place: "round_robin" },
      template: { actor: light },
    });
    const system = await testSystem({ name: "crowd", children: [spec] });
    const many = system.child("many") as PartitionedSupervisorRef;
    await many.startChildren(Array.from({ length: 100_000 }, (_, i) => ({ id: `m${i}` })));
    const { url } = await observe(system);
    const { page, complaints } = await openPage(browser, url);
    await row(page, "root/many/1").waitFor();
    expect(await page.locator("#tree-rows tr").count()).toBe(4);
    await row(page, "root/many/1").getByRole("link").click();
    await page.locator(".facts div", { hasText: /Light actors\s*50(\.0)?k/ }).waitFor();
    const rows = page.locator(".members tbody tr");
    await rows.nth(99).waitFor();
    expect(await rows.count()).toBe(100);
    await page.locator(".members button", { hasText: "More" }).click();
    await rows.nth(199).waitFor();
    expect(await rows.count()).toBe(200);
    const ids = await rows.locator("td:first-child").allTextContents();
    expect(new Set(ids).size).toBe(200);
    expect(complaints).toEqual([]);
  }, 420_000);
});
