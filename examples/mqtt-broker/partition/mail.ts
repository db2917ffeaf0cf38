import type { ActorRef } from "@mini-otp/worker-host";

/** How soon a full mailbox is tried again. */
const RETRY_MS = 1;

/**
 * Sends to one actor without ever waiting for room in its mailbox. A partition may not wait, because the actors that it
 * sends to wait for room in its own mailbox: then each would wait for the other.
 */
export class Mail {
  readonly #to: ActorRef;
  readonly #posted: [method: string, args: unknown[]][] = [];
  #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(to: ActorRef) {
    this.#to = to;
  }

  /** What is to be sent in any case, and in this order. Bounded by the connections: each has one question at a time. */
  post(method: string, ...args: unknown[]): void {
    this.#posted.push([method, args]);
    if (this.#posted.length === 1) this.#flush();
  }

  /** False when there is no room, or when others have waited for longer: `onRoom` is called once it may be tried again. */
  try(onRoom: () => void, method: string, ...args: unknown[]): boolean {
    if (this.#posted.length === 0 && this.#to.tryCast(method, ...args) !== "full") return true;
    this.#waiting.add(onRoom);
    this.#arm();
    return false;
  }

  forget(onRoom: () => void): void {
    this.#waiting.delete(onRoom);
  }

  #flush(): void {
    let sent = 0;
    for (const [method, args] of this.#posted) {
      // To an actor that has ended nothing needs to be said: its restart restarts this one too.
      if (this.#to.tryCast(method, ...args) === "full") break;
      sent++;
    }
    this.#posted.splice(0, sent);
    if (this.#posted.length > 0) this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
      if (this.#posted.length > 0) return;
      // Each may find it full again, and then waits behind those that have not had their turn.
      const turn = this.#waiting;
      this.#waiting = new Set();
      for (const onRoom of turn) onRoom();
    }, RETRY_MS);
  }
}
