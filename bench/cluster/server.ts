import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const DEADLINE_MS = 10_000;

/** A nats-server with JetStream in a folder of its own. */
export async function startServer(): Promise<Server> {
  const tools = (await import(new URL("../../../scripts/tools.mjs", import.meta.url).href)) as {
    findTool(name: string): string | undefined;
    installLine(names: readonly string[]): string;
  };
  const path = tools.findTool("nats-server");
  if (path === undefined) throw new Error(`this bench needs nats-server: ${tools.installLine(["nats-server"])}`);
  const folder = mkdtempSync(join(tmpdir(), "mini-otp-bench-"));
  const port = await freePort();
  writeFileSync(join(folder, "conf"), `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}/js" }\n`);
  const child = spawn(path, ["-c", join(folder, "conf")], { stdio: ["ignore", "ignore", "pipe"] });
  await ready(child);
  return {
    url: `nats://127.0.0.1:${port}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`nats-server is not ready: ${said}`)), DEADLINE_MS);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`nats-server has ended: ${said}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes("Server is ready")) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
