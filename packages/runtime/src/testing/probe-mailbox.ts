import { SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { type GuestMessage, GuestSlot } from "../guests/guest-slot.js";
import type { Actors } from "../system/actors.js";

/** Gets each message; its result is the reply to a call. */
export type OnProbed = (kind: "call" | "cast" | "send", method: string, args: unknown[]) => unknown;

const MAILBOX_BYTES = 1024 * 1024;

/** A slot of a system whose messages main takes. */
export class ProbeMailbox {
  readonly ref: { readonly sender: Actors["outbox"]; readonly address: number; readonly uid: number };
  readonly #guest: GuestSlot;
  readonly #onMessage: OnProbed;

  constructor(actors: Actors, onMessage: OnProbed) {
    this.#onMessage = onMessage;
    this.#guest = new GuestSlot(actors, {
      capacity: 4096,
      mailboxBytes: MAILBOX_BYTES,
      leavesWith: 0,
      onMessage: (message) => this.#take(message),
    });
    const { address, uid } = this.#guest.slot;
    this.ref = { sender: actors.outbox, address, uid };
  }

  /** Refuses messages from now on. Waiting calls reject with its exit. */
  close(): void {
    this.#guest.close(SHUTDOWN);
  }

  #take({ kind, method, args, undecodable, caller }: GuestMessage): void {
    const answer = (type: "reply" | "failure", value: unknown): void => {
      if (caller !== undefined) this.#guest.answer(caller, type, value);
    };
    if (undecodable !== undefined) {
      answer("failure", undecodable.error);
      return;
    }
    void (async () => this.#onMessage(kind, method, args))().then(
      (value) => answer("reply", value),
      (error: unknown) => answer("failure", error),
    );
  }
}

/** The constructor arguments of a reference to this mailbox. */
export function referenceTo({ ref }: ProbeMailbox, id: string): ConstructorParameters<typeof ActorRef> {
  return [ref.sender, ref.address, ref.uid, id];
}
