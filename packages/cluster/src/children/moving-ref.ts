import type { ActorRef } from "@mini-otp/runtime";
import type { Guest, GuestCaller, GuestMessage, Guests } from "@mini-otp/runtime/guests";
import { ActorError, type ExitReason, isActorError, NOPROC, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { wasRefused } from "@mini-otp/worker-host/protocol/refs";
import { type Delivery, deliveredIn } from "./door.js";
import { Sending, type Sent } from "./sending.js";

/** Who has what moves now. */
export interface Target {
  readonly node: string;
  /** Of this tenure of that node. */
  readonly generation: string;
  readonly ref: ActorRef;
}

export interface MovingHost {
  readonly guests: Guests;
  /** Who has it now; undefined while it is nowhere, or its node is not to be reached. */
  target(): Target | undefined;
  /** To that node, what `Door.deliver` resolves to. `id` of what it rejects with is that node's own where the connection failed. */
  deliver(to: Target, delivery: Delivery, signal: AbortSignal | undefined): Promise<unknown>;
  onChange(listener: () => void): () => void;
  monitor(ref: ActorRef, listener: (reason: ExitReason) => void): () => void;
  exit(ref: ActorRef, reason: ExitReason | "kill"): void;
}

const RING_BYTES = 64 * 1024;
const RING_MESSAGES = 1024;
/** What waits is tried again so often, whatever was told. */
const TRY_AGAIN_MS = 100;

/** Of the link to the owner: it has not been delivered. */
const NOT_TAKEN = ["ERR_NO_CONNECTION", "ERR_NODE_INCOMPATIBLE", "ERR_NOPROC", "ERR_MAILBOX_FULL"];

interface Outgoing {
  readonly message: GuestMessage;
  readonly abort: AbortController | undefined;
}

/**
 * One reference to what moves from node to node: what is sent to it goes to where that is, in order, and waits, in a ring,
 * while it is nowhere. What one owner has refused goes to the next; what it has taken does not.
 */
export class MovingRef {
  readonly #host: MovingHost;
  readonly #guest: Guest;
  readonly #off: () => void;
  readonly #sending = new Sending<Outgoing>(({ message }) => message.size);
  readonly #calls = new Map<string, AbortController>();
  #timer: NodeJS.Timeout | undefined;
  #watching: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(host: MovingHost, id: string) {
    this.#host = host;
    this.#guest = host.guests.open({
      id,
      mailboxBytes: RING_BYTES,
      capacity: RING_MESSAGES,
      leavesWith: 0,
      hasRoom: () => this.#sending.hasRoom(host.target()?.generation),
      onMessage: (message) => this.#take(message),
      onCancel: (uid, correlation) => this.#cancel(`${uid}/${correlation}`),
      signals: {
        watched: () => this.#watch(),
        linked: () => this.#watch(),
        unlinked: () => {},
        exit: (_from, reason) => {
          const target = host.target();
          if (target !== undefined) host.exit(target.ref, reason);
        },
      },
    });
    this.#off = host.onChange(() => this.#goOn());
  }

  get ref(): ActorRef {
    return this.#guest.ref;
  }

  /** Resolves when all that was sent so far has been taken and answered. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  close(): void {
    this.#off();
    clearTimeout(this.#timer);
    for (const { message } of this.#sending.takeHeld()) this.#refuse(message);
    this.#guest.slot.close(SHUTDOWN, (message) => this.#refuse(message));
    this.#guest.dispose(SHUTDOWN);
  }

  get #isIdle(): boolean {
    return this.#sending.held === 0 && this.#sending.underWay === 0 && this.#guest.slot.isEmpty;
  }

  #take(message: GuestMessage): void {
    const { undecodable, caller } = message;
    if (undecodable !== undefined) {
      if (caller !== undefined) this.#guest.slot.answer(caller, "failure", undecodable.error);
      return;
    }
    let abort: AbortController | undefined;
    if (caller !== undefined) {
      abort = new AbortController();
      this.#calls.set(keyOf(caller), abort);
    }
    this.#sending.add({ message, abort });
    this.#goOn();
  }

  #cancel(key: string): void {
    this.#calls.get(key)?.abort();
    this.#sending.drop(({ abort }) => abort?.signal.aborted === true);
  }

  #goOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const target = this.#host.target();
    for (let sent = this.#next(target); sent !== undefined; sent = this.#next(target)) {
      if (target !== undefined) this.#deliver(target, sent);
    }
    if (this.#sending.held > 0) this.#timer = setTimeout(() => this.#goOn(), TRY_AGAIN_MS).unref();
    else this.#guest.slot.wake();
    if (!this.#isIdle) return;
    this.#idle?.();
    this.#idle = undefined;
  }

  #next(target: Target | undefined): Sent<Outgoing> | undefined {
    return this.#sending.next(target?.generation);
  }

  #deliver(target: Target, sent: Sent<Outgoing>): void {
    const { run, number, message } = sent;
    const { kind, method, args } = message.message;
    const delivery = { generation: target.generation, run, number, kind, method, args };
    void this.#host
      .deliver(target, delivery, message.abort?.signal)
      .then(deliveredIn)
      .then(
        (delivered) => {
          if ("value" in delivered) this.#settled(sent, "reply", delivered.value);
          else this.#sending.refused(sent, delivered);
        },
        (error: unknown) => this.#failed(target, sent, error),
      )
      .then(() => this.#goOn());
  }

  #failed({ node }: Target, sent: Sent<Outgoing>, error: unknown): void {
    const { id } = this.ref;
    const { method, caller } = sent.message.message;
    const isOfLink = isActorError(error) && error.id === `${node}:`;
    const isRefused = wasRefused(error) || (isOfLink && NOT_TAKEN.includes(error.code as string));
    if (isRefused) {
      this.#sending.refused(sent);
    } else if (isOfLink && isActorError(error, "ERR_CALL_EXIT")) {
      // Taken or not, handled or not: nothing says so.
      const { reason } = error;
      const message = `id=${id} method=${method}: the connection to node ${node} was lost; whether it was handled is not known`;
      this.#settled(sent, "failure", new ActorError("ERR_CALL_EXIT", message, { id, method, reason }), true);
    } else {
      // No message can carry it, or it is what the handler has thrown.
      if (caller === undefined) this.#host.guests.deadLetter(id, method, "dropped");
      this.#settled(sent, "failure", error);
    }
  }

  #settled(sent: Sent<Outgoing>, kind: "reply" | "failure", value: unknown, isLost = false): void {
    this.#sending.settled(sent, isLost);
    const { caller } = sent.message.message;
    if (caller === undefined) return;
    this.#calls.delete(keyOf(caller));
    this.#guest.slot.answer(caller, kind, value);
  }

  #refuse({ method, caller }: GuestMessage): void {
    if (caller === undefined) this.#host.guests.deadLetter(this.ref.id, method, "queued", SHUTDOWN);
    else this.#guest.slot.refuse(caller, this.#host.guests.refusal(this.ref, method));
  }

  #watch(): void {
    if (this.#watching !== undefined) return;
    const told = (reason: ExitReason): void => {
      this.#watching = undefined;
      this.#guest.lifeEnded(reason);
    };
    const target = this.#host.target();
    if (target !== undefined) this.#watching = this.#host.monitor(target.ref, told);
    else {
      this.#watching = () => {};
      // The end must not be told before the watcher has its monitor.
      queueMicrotask(() => told(NOPROC));
    }
  }
}

function keyOf({ uid, correlation }: GuestCaller): string {
  return `${uid}/${correlation}`;
}
