import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { UsageError } from "../command-line.js";

/** Debian has it where only root looks. */
const PATH = [process.env.PATH ?? "", "/usr/sbin", "/usr/local/sbin"].join(delimiter);
const NOT_INSTALLED = `nats-server is not installed. Debian and Ubuntu: apt-get install nats-server; macOS: brew install nats-server; Windows: choco install nats-server; else https://nats.io/download. Or give --servers nats://host:4222 of one that runs`;

/** A nats-server on a free port of this machine, whose store goes with it. Rejects with a UsageError where there is none. */
export async function startNats(): Promise<{ readonly url: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "cluster-atlas-"));
  const args = ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder, "--ports_file_dir", folder];
  const command = process.env.NATS_SERVER ?? "nats-server";
  const server = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, PATH } });
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const dispose = async (): Promise<void> => {
    server.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  let said = "";
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", ({ code, message }: NodeJS.ErrnoException) =>
        reject(new UsageError(code === "ENOENT" ? NOT_INSTALLED : `nats-server does not start: ${message}`)),
      );
      server.once("exit", () => reject(new Error(`nats-server has ended: ${said}`)));
      server.stderr.on("data", (text: Buffer) => {
        said += text.toString();
        if (said.includes("Server is ready")) resolve();
      });
    });
    return { url: await urlIn(folder), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** It writes the file once it listens, which may be a moment after it says that it is ready. */
async function urlIn(folder: string): Promise<string> {
  for (;;) {
    const name = (await readdir(folder)).find((entry) => entry.endsWith(".ports"));
    const url = name === undefined ? undefined : /nats:\/\/[^"]+/.exec(await readFile(join(folder, name), "utf8"))?.[0];
    if (url !== undefined) return url;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
