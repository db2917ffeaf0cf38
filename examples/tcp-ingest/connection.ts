import type { Socket } from "node:net";
import type { Take } from "./intake.js";
import { type Item, parseItem } from "./item.js";

/** A client that sends nothing for this long, though we read, is gone: half-open connections end so. */
const IDLE_MS = 30_000;
/** What a client has to read its last acknowledgement in. */
const GOODBYE_MS = 500;
const MAX_LINE_CHARS = 64 * 1024;

/**
 * One client. Its lines are acknowledged by their count, `n\n` for the first n, once the workers have accepted them.
 * While they have no room the socket is paused: the client's own TCP stack makes it wait, and nothing grows here.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #take: Take;
  #rest = "";
  #accepted = 0;
  #acknowledged = 0;
  #reading = true;
  #pauses = 0;
  #pumping: Promise<void> = Promise.resolve();

  constructor(socket: Socket, take: Take) {
    this.#socket = socket;
    this.#take = take;
    socket.setEncoding("utf8").setNoDelay(true);
    socket.on("data", (text: string) => this.#received(text));
    socket.on("drain", () => this.#acknowledge());
    socket.on("end", () => void this.#pumping.then(() => this.#leave()));
    socket.setTimeout(IDLE_MS, () => {
      if (!socket.isPaused()) socket.destroy();
    });
    socket.on("close", () => {
      this.#reading = false;
    });
    // A client that is gone: what it has been acknowledged for is in the mailboxes, and the rest it sends again.
    socket.on("error", () => socket.destroy());
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** How often it had to wait for room. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Reads no more. Resolves when the client has its last acknowledgement, or does not take it. */
  async stop(): Promise<void> {
    this.#reading = false;
    await this.#pumping;
    this.#leave();
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  #received(text: string): void {
    if (!this.#reading) return;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    if (this.#rest.length > MAX_LINE_CHARS) return this.#refuse(`a line is longer than ${MAX_LINE_CHARS}`);
    this.#socket.pause();
    this.#pumping = this.#pump(lines).finally(() => this.#socket.setTimeout(IDLE_MS).resume());
  }

  async #pump(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      if (!this.#reading) return;
      let item: Item;
      try {
        item = parseItem(line);
      } catch (error) {
        return this.#refuse((error as Error).message);
      }
      let taken = this.#take(item);
      if (taken !== true) {
        this.#pauses++;
        this.#acknowledge();
        taken = await taken;
      }
      if (!taken) {
        this.#reading = false;
        return;
      }
      this.#accepted++;
    }
    this.#acknowledge();
  }

  /** To a client that does not read nothing more is written until it does: then the latest count says it all. */
  #acknowledge(): void {
    if (this.#socket.writableNeedDrain || !this.#socket.writable || this.#acknowledged === this.#accepted) return;
    this.#acknowledged = this.#accepted;
    this.#socket.write(`${this.#accepted}\n`);
  }

  #refuse(message: string): void {
    this.#reading = false;
    this.#acknowledge();
    this.#socket.end(`error in line ${this.#accepted + 1}: ${message}\n`);
  }

  #leave(): void {
    if (!this.#socket.writable) return;
    if (this.#acknowledged < this.#accepted) this.#socket.write(`${this.#accepted}\n`);
    this.#acknowledged = this.#accepted;
    this.#socket.end();
    // What the client still sends is read and dropped meanwhile: unread, it would make TCP drop what we have written.
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), GOODBYE_MS).unref();
  }
}
