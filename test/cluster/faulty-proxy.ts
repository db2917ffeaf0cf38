import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy in front of a nats-server, with the faults that a network has. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Each portion of bytes is passed on so much later, in order. */
  delayMs = 0;
  /** Connections stay open, and nothing passes any more: what comes meanwhile is lost. */
  isHalfOpen = false;
  #cutAfterBytes = Infinity;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (bytes) => this.#pass(bytes, from, to));
        from.on("error", () => {});
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async start(targetPort: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `nats://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  /** The connection ends when so many bytes more have passed: in the middle of what is just sent. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  get isCut(): boolean {
    return this.#cutAfterBytes === Infinity;
  }

  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    if (this.isHalfOpen) return;
    if (bytes.length > this.#cutAfterBytes) {
      to.write(bytes.subarray(0, this.#cutAfterBytes), () => from.destroy());
      this.#cutAfterBytes = Infinity;
      this.isHalfOpen = true;
      from.once("close", () => {
        this.isHalfOpen = false;
      });
      return;
    }
    this.#cutAfterBytes -= bytes.length;
    const write = (): void => void to.write(bytes);
    if (this.delayMs === 0) write();
    else setTimeout(write, this.delayMs);
  }
}
