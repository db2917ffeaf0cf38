import { type Browser, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { findTool } from "../support/tools.js";

export function launchBrowser(): Promise<Browser> {
  // As root, which CI is, there is no sandbox; and containers have little /dev/shm.
  return chromium.launch({
    executablePath: findTool("chromium") ?? "",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
}

export interface Window {
  readonly page: Page;
  /** Errors of the console and of scripts, failed requests, and requests to anywhere else. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { hash?: string; width?: number; colorScheme?: "light" | "dark" } = {},
): Promise<Window> {
  const { hash = "", width = 1280, colorScheme = "light" } = options;
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(`${url}/${hash}`);
  return { page, complaints };
}
