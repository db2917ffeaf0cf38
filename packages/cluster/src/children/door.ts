import type { ActorRef } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { Queue } from "@mini-otp/worker-host/protocol/calls";
import { isActorError } from "@mini-otp/worker-host/protocol/errors";
import { wasRefused } from "@mini-otp/worker-host/protocol/refs";
import { Arrivals, type Sender } from "./arrivals.js";
import { type Refusal, WINDOW } from "./sending.js";

/** A message on its way to what moves. */
export interface Delivery {
  readonly generation: string;
  readonly run: number;
  readonly number: number;
  readonly kind: "call" | "cast" | "send";
  readonly method: string;
  readonly args: unknown[];
}

/** Who sends it. */
export interface DeliveredBy {
  readonly node: string;
  readonly incarnation: string;
}

/** What became of it: it was taken, and a call has this reply; or it was not. A call's failure is a rejection. */
export type Delivered = readonly ["taken", unknown?] | readonly ["refused", taken: number, isClosed: boolean];

interface Waiting {
  readonly by: DeliveredBy;
  readonly delivery: Delivery;
  /** Undefined for one that does not come in. */
  readonly sender: Sender | undefined;
  readonly signal: AbortSignal;
  readonly settle: (delivered: Delivered) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Where messages come in to what this node owns, for one tenure. It says of each whether it was taken; once closed, it takes
 * nothing any more. What it has taken is in the mailbox of the actor, which handles it before it ends in order.
 */
export class Door {
  readonly generation: string;
  readonly #guests: Guests;
  readonly #ref: ActorRef;
  readonly #arrivals = new Arrivals();
  readonly #line = new Queue<Waiting>();
  /** How many of each node wait in it. */
  readonly #inLine = new Map<string, number>();
  #busy = false;
  #closed = false;

  constructor(guests: Guests, ref: ActorRef, generation: string) {
    this.#guests = guests;
    this.#ref = ref;
    this.generation = generation;
  }

  /** What waits for room in the mailbox is refused; what waits there already may yet get in. */
  close(): void {
    this.#closed = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#refuse(next);
  }

  /** Rejects with what a call fails with. */
  deliver(by: DeliveredBy, delivery: Delivery, signal: AbortSignal): Promise<Delivered> {
    return new Promise((settle, fail) => {
      const { run, number } = delivery;
      const { node, incarnation } = by;
      const inLine = this.#inLine.get(node) ?? 0;
      // A node that keeps to its window has no more of them here.
      const comesIn = !this.#closed && inLine < WINDOW;
      const sender = comesIn ? this.#arrivals.comesIn(node, incarnation, run, number) : undefined;
      const waiting = { by, delivery, sender, signal, settle, fail };
      if (sender === undefined) {
        this.#refuse(waiting);
        return;
      }
      this.#inLine.set(node, inLine + 1);
      this.#line.push(waiting);
      this.#goOn();
    });
  }

  /** A node is not connected any more. */
  nodeDown(node: string): void {
    this.#arrivals.forget(node);
  }

  #next(): Waiting | undefined {
    const next = this.#line.shift();
    if (next === undefined) return undefined;
    const { node } = next.by;
    const left = (this.#inLine.get(node) ?? 1) - 1;
    if (left === 0) this.#inLine.delete(node);
    else this.#inLine.set(node, left);
    return next;
  }

  #goOn(): void {
    while (!this.#busy) {
      const next = this.#next();
      if (next === undefined) return;
      const { number, kind } = next.delivery;
      if (next.sender === undefined || !this.#arrivals.mayBeTaken(next.by.node, next.sender, number))
        this.#refuse(next);
      else if (kind === "call") this.#call(next);
      else this.#tell(next);
    }
  }

  #done(): void {
    this.#busy = false;
    this.#goOn();
  }

  #tell(waiting: Waiting): void {
    const { kind, method, args } = waiting.delivery;
    const ref = this.#ref;
    if (kind === "cast") {
      try {
        const outcome = ref.tryCast(method, ...(args as []));
        if (outcome === "ok") return this.#taken(waiting);
        if (outcome === "closed") return this.#ended(waiting);
      } catch {
        return this.#dropped(waiting);
      }
    }
    this.#busy = true;
    const sent = kind === "send" ? ref.send(args[0] as never) : ref.cast(method, ...(args as []));
    void sent
      .then(
        () => this.#taken(waiting),
        (error: unknown) => {
          if (wasRefused(error)) this.#ended(waiting);
          // Its senders wait: it comes again.
          else if (isActorError(error, "ERR_MAILBOX_FULL") && this.#guests.blocks(ref)) this.#refuse(waiting);
          else this.#dropped(waiting);
        },
      )
      .then(() => this.#done());
  }

  #call(waiting: Waiting): void {
    const { delivery, sender, signal, settle, fail } = waiting;
    const { number, method, args } = delivery;
    let isRefused = false;
    const isIn = (): void => {
      if (!isRefused && sender !== undefined) sender.taken = number;
    };
    const waits = this.#guests.call(
      this.#ref,
      method,
      args,
      signal,
      (value) => settle(["taken", value]),
      (error) => {
        isRefused = wasRefused(error);
        if (isRefused) this.#ended(waiting);
        else fail(error);
      },
    );
    this.#busy = waits(() => {
      isIn();
      this.#done();
    });
    if (!this.#busy) isIn();
  }

  /** The actor takes nothing any more: nor does this. */
  #ended(waiting: Waiting): void {
    this.#closed = true;
    this.#refuse(waiting);
    this.close();
  }

  #taken({ sender, delivery, settle }: Waiting): void {
    if (sender !== undefined) sender.taken = delivery.number;
    settle(["taken"]);
  }

  /** The mailbox does not want it, or no message can carry it. */
  #dropped(waiting: Waiting): void {
    this.#guests.deadLetter(this.#ref.id, waiting.delivery.method, "dropped");
    this.#taken(waiting);
  }

  /** Neither it nor what comes after it in its run. */
  #refuse({ by, delivery, settle }: Waiting): void {
    settle(["refused", this.#arrivals.refused(by.node, delivery.run, delivery.number), this.#closed]);
  }
}

/** By what they lead to; and what other nodes say of the messages that they send here. */
export class Doors {
  readonly #doors = new Map<string, Door>();

  open(key: string, door: Door): void {
    this.#doors.set(key, door);
  }

  close(key: string, door: Door): void {
    door.close();
    if (this.#doors.get(key) === door) this.#doors.delete(key);
  }

  /** A node is not connected any more. */
  nodeDown(node: string): void {
    for (const door of this.#doors.values()) door.nodeDown(node);
  }

  /** Of another tenure, or of none here: it takes nothing. */
  deliver(by: DeliveredBy, key: string, delivery: Delivery, signal: AbortSignal): Promise<Delivered> {
    const door = this.#doors.get(key);
    if (door?.generation !== delivery.generation) return Promise.resolve(["refused", 0, true]);
    return door.deliver(by, delivery, signal);
  }
}

/** What a node says to another in `deliver`. Throws TypeError for what no node sends. */
export function deliveryIn(args: readonly unknown[]): { readonly key: string; readonly delivery: Delivery } {
  const [key, generation, run, number, kind, method, given] = args;
  const isOne =
    typeof key === "string" &&
    typeof generation === "string" &&
    Number.isSafeInteger(run) &&
    Number.isSafeInteger(number) &&
    (kind === "call" || kind === "cast" || kind === "send") &&
    typeof method === "string" &&
    Array.isArray(given);
  if (!isOne) throw new TypeError("malformed message: not a delivery");
  return { key, delivery: { generation, run, number, kind, method, args: given } as Delivery };
}

export function deliveryToWire(
  key: string,
  { generation, run, number, kind, method, args }: Delivery,
): readonly unknown[] {
  return [key, generation, run, number, kind, method, args];
}

/** What became of it, as another node says. Throws TypeError for what no node says. */
export function deliveredIn(value: unknown): { readonly value: unknown } | Refusal {
  if (Array.isArray(value)) {
    const [what, first, isClosed] = value;
    if (what === "taken") return { value: first };
    if (what === "refused" && Number.isSafeInteger(first)) return { taken: first, isClosed: isClosed === true };
  }
  throw new TypeError("malformed message: not what became of a delivery");
}
