import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "../support/tools.js";
import { until } from "./until.js";

/** A nats-server with a folder of its own, which can be stopped in every way and started again on its port. */
export class NatsServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #config: string;
  #process: ChildProcess | undefined;
  port = -1;

  private constructor(folder: string, config: string) {
    this.#folder = folder;
    this.#config = config;
  }

  /** `config` is what stands in its configuration beside its port and its store. */
  static async start(config = "jetstream: enabled"): Promise<NatsServer> {
    const server = new NatsServer(await mkdtemp(join(tmpdir(), "mini-otp-nats-")), config);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const config = `listen: "127.0.0.1:${this.port}"\nports_file_dir: "${this.#folder}"\n${this.#config}\n`;
    const file = join(this.#folder, "server.conf");
    await writeFile(file, config.replace("jetstream: enabled", `jetstream { store_dir: "${this.#folder}/js" }`));
    const lines: string[] = [];
    const child = spawn(tool("nats-server"), ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    child.stderr.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`nats-server has ended: ${lines.join("")}`)));
    });
    failed.catch(() => {});
    const ready = until("a nats-server that is ready", () => lines.join("").includes("Server is ready"));
    await Promise.race([ready, failed]);
    if (this.port === -1) this.port = await Promise.race([this.#portOf(), failed]);
  }

  /** Returns when the process has ended. */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** What it has stored is kept for `restoreStore`. Only while it is stopped. */
  async backUpStore(): Promise<void> {
    await cp(join(this.#folder, "js"), join(this.#folder, "backup"), { recursive: true });
  }

  /** As by a backup that an administrator has put in its place. Only while it is stopped. */
  async restoreStore(): Promise<void> {
    await rm(join(this.#folder, "js"), { recursive: true });
    await cp(join(this.#folder, "backup"), join(this.#folder, "js"), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #portOf(): Promise<number> {
    return until("the file with its port", async () => {
      const name = (await readdir(this.#folder)).find((entry) => entry.endsWith(".ports"));
      const text = name === undefined ? "" : await readFile(join(this.#folder, name), "utf8");
      const port = /(?:nats|tls):\/\/[^:]+:(\d+)/.exec(text)?.[1];
      return port === undefined ? undefined : Number(port);
    });
  }
}
