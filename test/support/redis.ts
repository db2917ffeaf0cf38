import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.js";
import { tool } from "./tools.js";

/**
 * Starts a Redis-compatible server that keeps nothing on disk, and ends it with the test. Returns its address: a socket in
 * a folder of its own, because another process may take a port that was free a moment ago; on Windows such a port.
 */
export async function startRedis(): Promise<string> {
  const path = tool("redis-server");
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const onWindows = process.platform === "win32";
  const port = onWindows ? await freePort() : 0;
  const socket = join(folder, "socket");
  const where = onWindows ? ["--bind", "127.0.0.1"] : ["--unixsocket", socket];
  const server = spawn(path, ["--port", String(port), ...where, "--save", "", "--dir", folder]);
  const ended = once(server, "close");
  onTestFinished(async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  await eventually(() => said.toLowerCase().includes("ready to accept connections") || server.exitCode !== null);
  if (server.exitCode !== null) throw new Error(`${path} did not start: ${said}`);
  return onWindows ? `redis://127.0.0.1:${port}` : socket;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
