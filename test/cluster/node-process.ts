import { type ChildProcess, fork } from "node:child_process";

const PROGRAM = new URL("./fixtures/node.js", import.meta.url);

interface Answer {
  readonly request: number;
  readonly value?: unknown;
  readonly error?: object;
}

/** A node in a process of its own. */
export class NodeProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: any): void; reject(error: unknown): void }>();
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", ({ request, value, error }: Answer) => {
      const waiting = this.#waiting.get(request);
      this.#waiting.delete(request);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(Object.assign(new Error(), error));
    });
    child.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the node's process has ended"));
    });
  }

  static async start(program: URL = PROGRAM): Promise<NodeProcess> {
    const child = fork(program, { serialization: "advanced" });
    await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", reject);
    });
    return new NodeProcess(child);
  }

  do<T = any>(operation: string, ...args: unknown[]): Promise<T> {
    const request = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#child.send({ request, operation, args });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
