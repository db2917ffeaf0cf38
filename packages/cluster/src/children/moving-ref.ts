import type { ActorRef } from "@mini-otp/runtime";
import type { Guest, GuestCaller, GuestMessage, Guests } from "@mini-otp/runtime/guests";
import { type ExitReason, isActorError, NOPROC, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { wasRefused } from "@mini-otp/worker-host/protocol/refs";

export interface MovingHost {
  readonly guests: Guests;
  /** Where it is now; undefined while it is nowhere. */
  target(): ActorRef | undefined;
  onChange(listener: () => void): () => void;
  monitor(ref: ActorRef, listener: (reason: ExitReason) => void): () => void;
  exit(ref: ActorRef, reason: ExitReason | "kill"): void;
}

const RING_BYTES = 64 * 1024;
const RING_MESSAGES = 1024;
/** What was refused is tried again so often, until it is accepted somewhere. */
const TRY_AGAIN_MS = 100;

/**
 * One reference to what moves from node to node: what is sent to it goes to where that is, in order, and waits, in a ring,
 * while it is nowhere. What one owner has refused goes to the next; what it has accepted does not.
 */
export class MovingRef {
  readonly #host: MovingHost;
  readonly #guest: Guest;
  readonly #off: () => void;
  readonly #held: GuestMessage[] = [];
  readonly #calls = new Map<string, AbortController>();
  #sending = 0;
  #timer: NodeJS.Timeout | undefined;
  #watching: (() => void) | undefined;

  constructor(host: MovingHost, id: string) {
    this.#host = host;
    this.#guest = host.guests.open({
      id,
      mailboxBytes: RING_BYTES,
      capacity: RING_MESSAGES,
      leavesWith: 0,
      hasRoom: () => this.#sending === 0 && this.#held.length === 0 && host.target() !== undefined,
      onMessage: (message) => this.#forward(message),
      onCancel: (uid, correlation) => this.#calls.get(`${uid}/${correlation}`)?.abort(),
      signals: {
        watched: () => this.#watch(),
        linked: () => this.#watch(),
        unlinked: () => {},
        exit: (_from, reason) => {
          const target = host.target();
          if (target !== undefined) host.exit(target, reason);
        },
      },
    });
    this.#off = host.onChange(() => this.#again());
  }

  get ref(): ActorRef {
    return this.#guest.ref;
  }

  close(): void {
    this.#off();
    clearTimeout(this.#timer);
    for (const message of this.#held.splice(0)) this.#refuse(message);
    this.#guest.slot.close(SHUTDOWN, (message) => this.#refuse(message));
    this.#guest.dispose(SHUTDOWN);
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending > 0 || this.#host.target() === undefined) return;
    const held = this.#held.splice(0);
    for (const message of held) this.#forward(message);
    if (held.length === 0) this.#guest.slot.wake();
  }

  #forward(message: GuestMessage): void {
    const { kind, method, args, undecodable, caller } = message;
    const target = this.#host.target();
    // While one that came before waits for another owner, none passes it.
    if (target === undefined || this.#held.length > 0) {
      this.#hold(message);
      return;
    }
    if (undecodable !== undefined) {
      if (caller !== undefined) this.#guest.slot.answer(caller, "failure", undecodable.error);
    } else if (caller !== undefined) {
      this.#call(target, message, caller);
    } else {
      this.#sending++;
      const sent = kind === "send" ? target.send(args[0] as never) : target.cast(method, ...(args as []));
      void sent
        .catch((error: unknown) => {
          if (isRefusal(error, target, method)) this.#hold(message);
          else this.#host.guests.deadLetter(target.id, method, "dropped");
        })
        .finally(() => {
          this.#sending--;
          if (this.#held.length === 0) this.#guest.slot.wake();
        });
    }
  }

  #call(target: ActorRef, message: GuestMessage, caller: GuestCaller): void {
    const { method, args } = message;
    const key = `${caller.uid}/${caller.correlation}`;
    const abort = new AbortController();
    this.#calls.set(key, abort);
    const options = { timeoutMs: Infinity, signal: abort.signal };
    void target
      .with(options)
      .call(method, ...(args as []))
      .then(
        (value: unknown) => this.#guest.slot.answer(caller, "reply", value),
        (error: unknown) => {
          if (isRefusal(error, target, method)) this.#hold(message);
          else this.#guest.slot.answer(caller, "failure", error);
        },
      )
      .finally(() => this.#calls.delete(key));
  }

  #hold(message: GuestMessage): void {
    this.#held.push(message);
    this.#timer ??= setTimeout(() => this.#again(), TRY_AGAIN_MS).unref();
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
    if (target !== undefined) this.#watching = this.#host.monitor(target, told);
    else {
      this.#watching = () => {};
      // The end must not be told before the watcher has its monitor.
      queueMicrotask(() => told(NOPROC));
    }
  }
}

/** Its mailbox has not accepted it, or its node was not to be reached: it was certainly not handled. */
function isRefusal(error: unknown, target: ActorRef, method: string): boolean {
  if (wasRefused(error)) return true;
  const isOne = isActorError(error, "ERR_NOPROC") || isActorError(error, "ERR_NO_CONNECTION");
  return isOne && error.id === target.id && error.method === method;
}
