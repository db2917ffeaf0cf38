import type { Connection, Sender } from "./actor-ref.js";
import type { CastResult } from "./actor-types.js";
import type { RefOptions } from "./ref-options.js";
import type { StreamReader } from "./stream-reader.js";

/** The arguments with what comes before them; with `isSent` the list that goes in the place of what is sent. */
export type Prefix = (to: Connection, method: string, args: unknown[], isSent: boolean) => unknown[];

/** Sends to one actor, with what `prefix` puts before the arguments. */
export class PrefixedSender implements Sender {
  readonly #sender: Sender;
  readonly #prefix: Prefix;

  constructor(sender: Sender, prefix: Prefix) {
    this.#sender = sender;
    this.#prefix = prefix;
  }

  connect(address: number, uid: number, id: string): Connection {
    return this.#sender.connect(address, uid, id);
  }

  call(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    return this.#sender.call(to, method, this.#prefix(to, method, args, false), options);
  }

  callSync(to: Connection, method: string, args: unknown[], options: RefOptions): unknown {
    return this.#sender.callSync(to, method, this.#prefix(to, method, args, false), options);
  }

  openStream(to: Connection, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    this.#sender.openStream?.(to, method, this.#prefix(to, method, args, false), options, reader);
  }

  async cast(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<void> {
    return this.#sender.cast(to, method, this.#prefix(to, method, args, false), options);
  }

  castSync(to: Connection, method: string, args: unknown[], options: RefOptions): void {
    this.#sender.castSync(to, method, this.#prefix(to, method, args, false), options);
  }

  tryCast(to: Connection, method: string, args: unknown[], options: RefOptions): CastResult {
    return this.#sender.tryCast(to, method, this.#prefix(to, method, args, false), options);
  }

  async send(to: Connection, message: unknown, options: RefOptions): Promise<void> {
    return this.#sender.send(to, this.#prefix(to, "info", [message], true), options);
  }
}
