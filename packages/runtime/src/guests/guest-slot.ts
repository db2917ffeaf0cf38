import type { Streams } from "@mini-otp/worker-host/loop";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  announce,
  CLOSED_FOR,
  CLOSED_GONE,
  CLOSED_INCOMPATIBLE,
  CLOSED_UNCONNECTED,
  KIND_CALL,
  KIND_CANCEL,
  KIND_CAST,
  KIND_CREDIT,
  KIND_FAILURE,
  KIND_REPLY,
  KIND_STREAM,
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
import {
  FORMAT_PARCEL,
  FORMAT_TRACED,
  fillPayload,
  isWithoutReferences,
  newPayload,
  type Payload,
  RingReader,
} from "@mini-otp/worker-host/protocol/ring";
import { type Encoded, payloadOf } from "@mini-otp/worker-host/protocol/values";
import { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { Actors } from "../system/actors.js";

/** Where the reply to a call goes. */
export interface GuestCaller {
  readonly address: number;
  readonly uid: number;
  readonly correlation: number;
}

export interface GuestMessage {
  readonly kind: "call" | "cast" | "send";
  /** `"info"` for what was sent. */
  readonly method: string;
  readonly args: unknown[];
  /** What no reference is in, as it is encoded, in memory that is used again, in the place of `args`; see `wantsBytes`. */
  readonly raw: Payload | undefined;
  /** Its bytes cannot be decoded; then there are no arguments. */
  readonly undecodable: { readonly error: unknown } | undefined;
  /** In bytes, as it was encoded. */
  readonly size: number;
  /** Of a call. */
  readonly caller: GuestCaller | undefined;
}

export interface GuestSlotOptions {
  /** The path that errors name. */
  readonly id: string;
  readonly mailboxBytes: number;
  readonly capacity: number;
  /** Default 4 096. */
  readonly systemBytes?: number;
  /** See LEAVES_WITH; 0 for what stays in the process. */
  readonly leavesWith: number;
  /** Whether what holds no reference is given as it is encoded. Default false. */
  readonly wantsBytes?: boolean;
  /** The streams that its answers are. Without them a caller that reads a stream is refused. */
  readonly streams?: Pick<Streams, "granted" | "cancel" | "takeCancelled">;
  /** While this is false no message is taken; `wake` looks again. */
  hasRoom?(): boolean;
  onMessage(message: GuestMessage): void;
  /** The caller has given its call up. */
  onCancel?(callerUid: number, correlation: number): void;
}

const SYSTEM_BYTES = 4096;
const ANSWER_BYTES = 1024;
/** Messages taken before the event loop turns. */
const TAKEN_PER_TURN = 1024;

/**
 * A slot among a system's that no actor owns: its messages are taken on main. Over 350 lines, because the slot's one
 * lifetime (closed, opened anew, released) decides what becomes of each message, parcel and caller.
 */
export class GuestSlot {
  readonly slot: Slot;
  readonly #actors: Actors;
  readonly #options: GuestSlotOptions;
  readonly #answer = newPayload(ANSWER_BYTES);
  readonly #mailbox: Mailbox;
  readonly #messages: RingReader;
  readonly #system: RingReader;
  /** Given up by their callers before they were taken. */
  readonly #cancelled = new Set<string>();
  #waitsForParcel = false;
  #listening = false;
  #closed = false;
  #released = false;

  constructor(actors: Actors, options: GuestSlotOptions) {
    this.#actors = actors;
    this.#options = options;
    this.slot = actors.slots.allocate({
      capacity: options.capacity,
      mailboxBytes: options.mailboxBytes,
      systemBytes: options.systemBytes ?? SYSTEM_BYTES,
      overflow: "block",
      blockTimeoutMs: 10_000,
      maxDeliveries: 1,
      leavesWith: options.leavesWith,
    });
    const { memory } = this.slot;
    setCallTimeout(memory.words, actors.callTimeoutMs);
    const keepsBytes = options.wantsBytes !== true;
    this.#messages = new RingReader(memory, MAILBOX_LANE, newPayload(64 * 1024), keepsBytes);
    this.#system = new RingReader(memory, SYSTEM_LANE, newPayload(64));
    this.#mailbox = new Mailbox(memory.words);
    this.#mailbox.open();
    this.#listen();
  }

  get isReleased(): boolean {
    return this.#released;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** No message waits in it. */
  get isEmpty(): boolean {
    return !this.#messages.pending;
  }

  /** Refuses messages from now on; callers that wait get this reason. What it had accepted is given to `unsent`. */
  close(reason: ExitReason, unsent: (message: GuestMessage) => void = () => {}): void {
    if (this.#closed) return;
    this.#closed = true;
    const { words } = this.slot.memory;
    Atomics.store(words, CLOSED_FOR, reason.kind === "noconnection" ? CLOSED_UNCONNECTED : CLOSED_GONE);
    this.#mailbox.close();
    this.#takeRest(unsent);
    this.#actors.mail.notifyCallers(this.slot, reason, this.#mailbox.nextSeq, true);
    wakeAll(words, PARKED);
  }

  /** After `close`, until it takes messages again: its actor's node has another version of the protocol. */
  refuseIncompatible(): void {
    if (this.#closed && !this.#released) Atomics.store(this.slot.memory.words, CLOSED_FOR, CLOSED_INCOMPATIBLE);
  }

  /** Takes messages again, after `close`. */
  reopen(): void {
    if (!this.#closed || this.#released) return;
    this.#closed = false;
    Atomics.store(this.slot.memory.words, CLOSED_FOR, CLOSED_GONE);
    this.#mailbox.open();
    this.#listen();
  }

  /** Gives its memory back. After `close`. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    Atomics.store(this.slot.memory.words, CLOSED_FOR, CLOSED_GONE);
    this.#actors.outbox.disconnect(this.slot.address);
    this.#actors.slots.release(this.slot);
  }

  /** There is room again. */
  wake(): void {
    // One that sleeps goes on by its own bell: a second sleeper would take the first one's wake-up.
    if (this.#messages.pending) wakeAll(this.slot.memory.words, PARKED);
  }

  /** Answers a call. What cannot be carried is a failure that says so. */
  answer({ address, uid, correlation }: GuestCaller, kind: "reply" | "failure", value: unknown): void {
    if (this.#closed) return;
    this.#reply(address, uid, correlation, kind, value);
  }

  /** As `answer`: a reply that holds no reference, as it is encoded. */
  answerEncoded({ address, uid, correlation }: GuestCaller, content: Encoded): void {
    if (this.#closed) return;
    const { format, bytes } = content;
    const payload = bytes.length <= ANSWER_BYTES ? fillPayload(this.#answer, format, bytes) : payloadOf(content);
    this.#actors.outbox.reply(address, uid, KIND_REPLY, correlation, payload);
  }

  #reply(address: number, uid: number, correlation: number, kind: "reply" | "failure", value: unknown): void {
    const { outbox } = this.#actors;
    let type: typeof KIND_REPLY | typeof KIND_FAILURE = kind === "reply" ? KIND_REPLY : KIND_FAILURE;
    let payload: Payload;
    try {
      payload = outbox.codec.encodeValue(value);
    } catch (uncloneable) {
      type = KIND_FAILURE;
      payload = outbox.codec.encodeValue(uncloneable);
    }
    outbox.reply(address, uid, type, correlation, payload);
  }

  readonly #woken = (): void => {
    this.#listening = false;
    this.#listen();
  };

  #listen(): void {
    if (this.#listening || this.#released) return;
    const { words } = this.slot.memory;
    for (let taken = 0; !this.#closed; taken++) {
      while (this.#system.next()) this.#takeNotice();
      if (this.#waitsForParcel) return;
      // One that has just sent often sends more: to look again costs less than to be woken, and a sender that finds
      // this awake does not wake it.
      if (taken >= TAKEN_PER_TURN || (taken > 0 && !this.#messages.pending)) {
        this.#listening = true;
        setImmediate(this.#woken);
        return;
      }
      const hasRoom = this.#options.hasRoom?.() ?? true;
      if (hasRoom && this.#messages.next()) {
        this.#take();
        continue;
      }
      // What was cancelled had been sent before.
      if (this.#cancelled.size > 0 && !this.#messages.pending) this.#cancelled.clear();
      announce(words, PARKED);
      if (!(hasRoom && this.#messages.pending) && !this.#system.pending) {
        const waiting = sleepAsync(words, PARKED);
        if (waiting !== undefined) {
          this.#listening = true;
          void waiting.then(this.#woken);
          return;
        }
      }
      retract(words, PARKED);
    }
  }

  /** From callers: one has given its call up, or it reads a stream. */
  #takeNotice(): void {
    const { header } = this.#system;
    const { streams } = this.#options;
    const kind = kindOf(header[R_TYPE]);
    const [uid, correlation] = [header[R_SENDER_UID], header[R_CORRELATION]];
    const [items, bytes] = this.#system.payload.words;
    this.#system.commit();
    if (kind === KIND_CREDIT) streams?.granted(uid, correlation, items, bytes);
    if (kind !== KIND_CANCEL) return;
    if (correlation < 0) {
      streams?.cancel(uid, correlation);
      return;
    }
    this.#cancelled.add(callKey(uid, correlation));
    this.#options.onCancel?.(uid, correlation);
  }

  #take(): void {
    const { payload, header } = this.#messages;
    const kind = kindOf(header[R_TYPE]);
    if ((kind === KIND_CALL || kind === KIND_STREAM) && this.#isUnwanted(kind)) {
      this.#messages.commit();
      if ((payload.format & ~FORMAT_TRACED) === FORMAT_PARCEL) this.#loseParcel(payload);
      return;
    }
    if ((payload.format & ~FORMAT_TRACED) !== FORMAT_PARCEL) {
      this.#options.onMessage(this.#opened(payload));
      return;
    }
    this.#waitsForParcel = true;
    const [owner, number] = payload.words;
    this.#actors.mail.claimParcel(this.slot.uid, owner, number, false, (parcel) => {
      this.#waitsForParcel = false;
      // Closed meanwhile: it was given away with the rest.
      if (this.#closed) return;
      if (parcel === null) this.#messages.commit();
      else this.#options.onMessage(this.#opened(payloadOf(parcel.content), parcel.transferred));
      setImmediate(() => this.#listen());
    });
  }

  /** Of a call: its caller has given it up, or wants a stream where there are none, and has been told so. */
  #isUnwanted(kind: number): boolean {
    const { header } = this.#messages;
    if (kind === KIND_CALL && this.#cancelled.size === 0) return false;
    const { streams } = this.#options;
    const caller = { address: header[R_SENDER_ADDRESS], uid: header[R_SENDER_UID], correlation: header[R_CORRELATION] };
    if (kind === KIND_CALL) return this.#cancelled.delete(callKey(caller.uid, caller.correlation));
    if (streams !== undefined) return streams.takeCancelled(caller);
    const [{ id }, method] = [this.#options, this.#method()];
    const message = `id=${id} method=${method}: an actor of another node sends no streams; call it for one part at a time`;
    this.refuse(caller, new ActorError("ERR_NO_STREAM", message, { id, method }));
    return true;
  }

  #method(): string {
    const { header } = this.#messages;
    return header[R_METHOD] < 0 ? this.#messages.methodText : this.#actors.names.name(header[R_METHOD]);
  }

  #takeRest(unsent: (message: GuestMessage) => void): void {
    const waitsForParcel = this.#waitsForParcel;
    this.#waitsForParcel = false;
    for (let first = waitsForParcel; first || this.#messages.next(); first = false) {
      const { payload } = this.#messages;
      const isParcel = (payload.format & ~FORMAT_TRACED) === FORMAT_PARCEL;
      if (isParcel) this.#loseParcel(payload);
      unsent(this.#opened(isParcel ? newPayload(0) : payload));
    }
  }

  #loseParcel({ words: [owner, number] }: Payload): void {
    this.#actors.mail.handleNotice({ type: "parcel_lost", owner, number });
  }

  /** Commits the record. */
  #opened(payload: Payload, transferred?: readonly unknown[]): GuestMessage {
    const { header } = this.#messages;
    const { outbox } = this.#actors;
    const kind = kindOf(header[R_TYPE]);
    let args: unknown[] = [];
    let undecodable: GuestMessage["undecodable"];
    let raw: Payload | undefined;
    // The sender's place in a trace is its last argument.
    const isTraced = (payload.format & FORMAT_TRACED) !== 0;
    payload.format &= ~FORMAT_TRACED;
    if (
      this.#options.wantsBytes === true &&
      transferred === undefined &&
      !isTraced &&
      isWithoutReferences(payload.format)
    ) {
      raw = payload;
    }
    try {
      if (raw === undefined) args = outbox.codec.decodeArgs(payload, transferred);
      if (isTraced) args.pop();
    } catch (error) {
      undecodable = { error };
    }
    const method = this.#method();
    if (header[R_METHOD] < 0 && this.#options.wantsBytes === true) this.#actors.learnName(method);
    const isCall = kind === KIND_CALL || kind === KIND_STREAM;
    const message: GuestMessage = {
      kind: isCall ? "call" : kind === KIND_CAST ? "cast" : "send",
      method: isCall || kind === KIND_CAST ? method : "info",
      args,
      raw,
      undecodable,
      size: payload.length,
      caller: isCall
        ? { address: header[R_SENDER_ADDRESS], uid: header[R_SENDER_UID], correlation: header[R_CORRELATION] }
        : undefined,
    };
    this.#messages.commit();
    return message;
  }

  /** To a caller whose call was given to `unsent`. */
  refuse({ address, uid, correlation }: GuestCaller, error: unknown): void {
    this.#reply(address, uid, correlation, "failure", error);
  }
}

function callKey(uid: number, correlation: number): string {
  return `${uid}/${correlation}`;
}
