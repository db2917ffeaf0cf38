import { roomAgain } from "@mini-otp/worker-host/protocol/memory";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { Events } from "./events.js";

/** How often main checks whether a full mailbox has room again. */
const LOOK_MS = 1000;

/** An actor with a mailbox. */
export interface MailboxOwner {
  readonly id: string;
  readonly slot: Slot;
  readonly mailbox: Mailbox;
  readonly spec: Pick<FullActorSpec, "mailbox">;
}

/** Reports full mailboxes: each once, and again only after it was half empty. */
export class FullMailboxes {
  readonly #events: Events;
  /** With the time when it was found to be full. */
  readonly #full = new Map<MailboxOwner, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(events: Events) {
    this.#events = events;
  }

  found(child: MailboxOwner, method: string): void {
    const { length, bytes } = child.mailbox.counts();
    const { overflow } = child.spec.mailbox;
    if (!this.#full.has(child)) this.#full.set(child, performance.now());
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    this.#events.emit({ event: "mailbox_full", id: child.id, at: performance.now(), method, length, bytes, overflow });
  }

  forget(child: MailboxOwner): void {
    this.#full.delete(child);
    if (this.#full.size === 0) this.close();
  }

  /** Those that have been full, and not half empty since, by path: for how long. */
  fullForMs(): Map<string, number> {
    this.#look();
    const nowMs = performance.now();
    return new Map([...this.#full].map(([{ id }, sinceMs]) => [id, nowMs - sinceMs]));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const child of this.#full.keys()) {
      const { length, bytes, capacityBytes } = child.mailbox.counts();
      if (length > child.spec.mailbox.capacity / 2 || bytes > capacityBytes / 2) continue;
      roomAgain(child.slot.memory.words);
      this.forget(child);
    }
  }
}
