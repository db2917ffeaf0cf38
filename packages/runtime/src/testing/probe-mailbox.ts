import { SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import {
  announce,
  KIND_CALL,
  KIND_FAILURE,
  KIND_REPLY,
  KIND_SEND,
  kindOf,
  MAILBOX_LANE,
  PARKED,
  R_CORRELATION,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_TYPE,
  retract,
  SYSTEM_LANE,
  setCallTimeout,
  sleepAsync,
  wakeAll,
} from "@mini-otp/worker-host/protocol/memory";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { FORMAT_PARCEL, newPayload, type Payload, RingReader } from "@mini-otp/worker-host/protocol/ring";
import { payloadOf } from "@mini-otp/worker-host/protocol/values";
import { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { Actors } from "../system/actors.js";

/** Gets each message; its result is the reply to a call. */
export type OnProbed = (kind: "call" | "cast" | "send", method: string, args: unknown[]) => unknown;

const MAILBOX_BYTES = 1024 * 1024;
const SYSTEM_BYTES = 4096;

/** A slot of a system whose messages main takes. */
export class ProbeMailbox {
  readonly ref: { readonly sender: Actors["outbox"]; readonly address: number; readonly uid: number };
  readonly #actors: Actors;
  readonly #slot: Slot;
  readonly #mailbox: Mailbox;
  readonly #messages: RingReader;
  readonly #system: RingReader;
  readonly #onMessage: OnProbed;
  #waitsForParcel = false;
  #closed = false;

  constructor(actors: Actors, onMessage: OnProbed) {
    this.#actors = actors;
    this.#onMessage = onMessage;
    this.#slot = actors.slots.allocate({
      capacity: 4096,
      mailboxBytes: MAILBOX_BYTES,
      systemBytes: SYSTEM_BYTES,
      overflow: "block",
      blockTimeoutMs: 10_000,
      maxDeliveries: 1,
    });
    const { memory, address, uid } = this.#slot;
    setCallTimeout(memory.words, actors.callTimeoutMs);
    this.ref = { sender: actors.outbox, address, uid };
    this.#messages = new RingReader(memory, MAILBOX_LANE, newPayload(64 * 1024));
    this.#system = new RingReader(memory, SYSTEM_LANE, newPayload(64));
    this.#mailbox = new Mailbox(memory.words);
    this.#mailbox.open();
    this.#listen();
  }

  /** Refuses messages from now on. Waiting calls reject with its exit. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mailbox.close();
    this.#actors.mail.notifyCallers(this.#slot, SHUTDOWN, this.#mailbox.nextSeq, true);
    wakeAll(this.#slot.memory.words, PARKED);
  }

  readonly #listen = (): void => {
    const { words } = this.#slot.memory;
    while (!this.#closed) {
      // Notices of callers that have given up: their replies will come late, and count as late.
      while (this.#system.next()) this.#system.commit();
      if (this.#waitsForParcel) return;
      if (this.#messages.next()) {
        this.#take();
        continue;
      }
      announce(words, PARKED);
      if (!this.#messages.pending && !this.#system.pending) {
        const waiting = sleepAsync(words, PARKED);
        if (waiting !== undefined) {
          void waiting.then(this.#listen);
          return;
        }
      }
      retract(words, PARKED);
    }
  };

  #take(): void {
    const { payload } = this.#messages;
    if (payload.format !== FORMAT_PARCEL) {
      this.#open(payload);
      return;
    }
    this.#waitsForParcel = true;
    const [owner, number] = payload.words;
    this.#actors.mail.claimParcel(this.#slot.uid, owner, number, false, (parcel) => {
      this.#waitsForParcel = false;
      if (parcel === null) this.#messages.commit();
      else this.#open(payloadOf(parcel.content), parcel.transferred);
      setImmediate(this.#listen);
    });
  }

  #open(payload: Payload, transferred?: readonly unknown[]): void {
    const { header } = this.#messages;
    const { outbox, names } = this.#actors;
    const kind = kindOf(header[R_TYPE]);
    let args: unknown[] = [];
    let undecodable: unknown;
    try {
      args = outbox.codec.decodeArgs(payload, transferred);
    } catch (error) {
      undecodable = error;
    }
    const sent = header[R_METHOD] < 0 ? this.#messages.methodText : names.name(header[R_METHOD]);
    const method = kind === KIND_SEND ? "info" : sent;
    const [address, uid, correlation] = [header[R_SENDER_ADDRESS], header[R_SENDER_UID], header[R_CORRELATION]];
    this.#messages.commit();
    const isCall = kind === KIND_CALL;
    const answer = (type: typeof KIND_REPLY | typeof KIND_FAILURE, value: unknown): void => {
      if (!isCall || this.#closed) return;
      let reply: Payload;
      try {
        reply = outbox.codec.encodeValue(value);
      } catch (uncloneable) {
        outbox.reply(address, uid, KIND_FAILURE, correlation, outbox.codec.encodeValue(uncloneable));
        return;
      }
      outbox.reply(address, uid, type, correlation, reply);
    };
    if (undecodable !== undefined) {
      answer(KIND_FAILURE, undecodable);
      return;
    }
    void (async () => this.#onMessage(kind === KIND_SEND ? "send" : isCall ? "call" : "cast", method, args))().then(
      (value) => answer(KIND_REPLY, value),
      (error: unknown) => answer(KIND_FAILURE, error),
    );
  }
}

/** The constructor arguments of a reference to this mailbox. */
export function referenceTo({ ref }: ProbeMailbox, id: string): ConstructorParameters<typeof ActorRef> {
  return [ref.sender, ref.address, ref.uid, id];
}
