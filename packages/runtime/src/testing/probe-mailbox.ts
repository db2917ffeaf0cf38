import { CurrentCall, LoopState, Streams } from "@mini-otp/worker-host/loop";
import { SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { type GuestMessage, GuestSlot } from "../guests/guest-slot.js";
import type { Actors } from "../system/actors.js";

/** Gets each message; its result is the reply to a call. */
export type OnProbed = (kind: "call" | "cast" | "send", method: string, args: unknown[]) => unknown;

const MAILBOX_BYTES = 1024 * 1024;
/** Credits of readers come here, beside calls that were given up. */
const SYSTEM_BYTES = 16 * 1024;

/** A slot of a system whose messages main takes. */
export class ProbeMailbox {
  readonly ref: { readonly sender: Actors["outbox"]; readonly address: number; readonly uid: number };
  readonly #guest: GuestSlot;
  readonly #onMessage: OnProbed;
  readonly #streams: Streams;
  readonly #replies: CurrentCall;

  /** `id` is the probe's. */
  constructor(id: string, actors: Actors, onMessage: OnProbed) {
    this.#onMessage = onMessage;
    const { outbox } = actors;
    const state = new LoopState();
    state.busy = false;
    this.#streams = new Streams({
      codec: outbox.codec,
      loopState: state,
      schedule: () => void setImmediate(this.#attend),
      send: ({ address, uid, correlation }, kind, number, payload) =>
        outbox.reply(address, uid, kind, correlation, payload, [], number),
      watch() {},
      unwatch() {},
      open() {},
      sent() {},
      begin() {},
      end() {},
      threw: (error, _method, fail) => fail?.(error),
    });
    this.#replies = new CurrentCall(id, outbox, state, this.#streams);
    this.#guest = new GuestSlot(actors, {
      id,
      capacity: 4096,
      mailboxBytes: MAILBOX_BYTES,
      systemBytes: SYSTEM_BYTES,
      leavesWith: 0,
      streams: this.#streams,
      onMessage: (message) => this.#take(message),
    });
    const { address, uid } = this.#guest.slot;
    this.ref = { sender: outbox, address, uid };
  }

  /** Refuses messages from now on. Waiting calls reject with its exit. */
  close(): void {
    if (this.#guest.isClosed) return;
    this.#guest.close(SHUTDOWN);
    this.#streams.endAll(() => {});
  }

  readonly #attend = (): void => {
    if (this.#guest.isClosed || !this.#streams.isReady) return;
    this.#streams.attendNext();
    setImmediate(this.#attend);
  };

  #take({ kind, method, args, undecodable, caller }: GuestMessage): void {
    const answer = (type: "reply" | "fail", value: unknown): void => {
      if (caller !== undefined && !this.#guest.isClosed) this.#replies[type](caller, value, method);
    };
    if (undecodable !== undefined) {
      answer("fail", undecodable.error);
      return;
    }
    void (async () => this.#onMessage(kind, method, args))().then(
      (value) => answer("reply", value),
      (error: unknown) => answer("fail", error),
    );
  }
}

/** The constructor arguments of a reference to this mailbox. */
export function referenceTo({ ref }: ProbeMailbox, id: string): ConstructorParameters<typeof ActorRef> {
  return [ref.sender, ref.address, ref.uid, id];
}
