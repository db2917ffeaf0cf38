import type { ActorRef } from "@mini-otp/worker-host";
import { Connection } from "../core/connection.js";
import { connectionId, partitionOf } from "../core/connection-id.js";
import type { Claim, Counts, Hub, Leaving, Wire } from "../core/hub.js";
import { deliveryOf, type Message, type Subscription } from "../core/message.js";
import { Session, type SessionState } from "../core/session.js";
import { partOf, partsOf } from "../core/topics.js";
import { Mail } from "./mail.js";

export interface PartitionArgs {
  readonly index: number;
  readonly topics: readonly ActorRef[];
  readonly clients: ActorRef;
}

/** A session whose client is away. */
interface Parked {
  readonly clientId: string;
  session: Session;
  readonly until: number;
}

/** So long what is still sent to a connection is sent on to the one that has its session. */
const MOVED_FOR_MS = 10_000;

/** The connections of one thread, and the sessions that they have left. */
export class Partition implements Hub {
  readonly counts: Counts = { received: 0, sent: 0, dropped: 0, malformed: 0 };
  readonly #index: number;
  readonly #incarnation: number;
  readonly #topics: readonly Mail[];
  readonly #clients: Mail;
  readonly #connections = new Map<number, Connection>();
  readonly #parked = new Map<number, Parked>();
  readonly #moved = new Map<number, { readonly to: number; readonly until: number }>();
  /** Of each connection that has asked topics for something: how many have to answer. */
  readonly #unconfirmed = new Map<number, number>();
  /** What each connection that waits for room does then. */
  readonly #resumes = new Map<number, () => void>();
  #serial = 0;
  #draining = false;

  constructor({ index, topics, clients }: PartitionArgs, incarnation: number) {
    this.#index = index;
    this.#incarnation = incarnation;
    this.#topics = topics.map((ref) => new Mail(ref));
    this.#clients = new Mail(clients);
  }

  get connections(): number {
    return this.#connections.size;
  }

  get parked(): number {
    return this.#parked.size;
  }

  open(wire: Wire): Connection {
    const id = connectionId(this.#index, this.#incarnation, ++this.#serial);
    const connection = new Connection(id, wire, this, this.counts, Date.now());
    this.#connections.set(id, connection);
    if (this.#draining) {
      wire.destroy();
      connection.closed();
    }
    return connection;
  }

  /** The wire of a connection has closed. */
  closed(connection: Connection): void {
    connection.closed();
    this.#connections.delete(connection.id);
  }

  claim(connection: Connection, { clientId, clean, will }: Claim): void {
    this.#clients.post("claim", connection.id, clientId, clean, will);
  }

  publish(connection: Connection, message: Message): boolean {
    const { id } = connection;
    let resume = this.#resumes.get(id);
    if (resume === undefined) {
      resume = () => connection.resume(Date.now());
      this.#resumes.set(id, resume);
    }
    return this.#topics[partOf(message.topic, this.#topics.length)].try(resume, "publish", message);
  }

  subscribe({ id, clientId }: Connection, subscriptions: readonly Subscription[]): void {
    this.#askTopics("subscribe", id, clientId, subscriptions, ({ filter }) => filter);
  }

  unsubscribe({ id, clientId }: Connection, filters: readonly string[]): void {
    this.#askTopics("unsubscribe", id, clientId, filters, (filter) => filter);
  }

  left(connection: Connection, { will, keepMs, handedOver }: Leaving): void {
    const { id, clientId, session } = connection;
    const resume = this.#resumes.get(id);
    if (resume !== undefined) for (const topics of this.#topics) topics.forget(resume);
    this.#resumes.delete(id);
    this.#unconfirmed.delete(id);
    this.#connections.delete(id);
    if (handedOver) return;
    if (keepMs > 0) this.#parked.set(id, { clientId, session, until: Date.now() + keepMs });
    else this.#forget(id, clientId, session);
    this.#clients.post("left", id, clientId, will, keepMs);
  }

  /** `targets`: pairs of a connection and how it gets the message. */
  deliver(message: Message, targets: readonly number[]): void {
    const now = Date.now();
    for (let i = 0; i < targets.length; i += 2) this.#deliverTo(targets[i], message, targets[i + 1], now);
  }

  confirmed(id: number): void {
    const left = (this.#unconfirmed.get(id) ?? 1) - 1;
    if (left > 0) {
      this.#unconfirmed.set(id, left);
      return;
    }
    this.#unconfirmed.delete(id);
    this.#connections.get(id)?.confirmed(Date.now());
  }

  granted(id: number, clientId: string, state: SessionState | null, from: number): void {
    const connection = this.#connections.get(id);
    const parked = this.#parked.get(id);
    if (state !== null) for (const topics of this.#topics) topics.post("move", from, id, clientId);
    if (connection !== undefined) connection.granted(state ?? undefined, Date.now());
    else if (parked !== undefined) {
      if (state !== null) parked.session = Session.from(state);
    } else {
      // It has closed meanwhile, and its client wanted nothing kept.
      if (state !== null) for (const topics of this.#topics) topics.post("leave", id, clientId);
      this.#clients.post("left", id, clientId, false, 0);
    }
  }

  /** Another connection has this one's name. */
  takeOver(id: number, clientId: string, by: number, clean: boolean): void {
    const connection = this.#connections.get(id);
    const parked = this.#parked.get(id);
    let state: SessionState | null = null;
    if (connection !== undefined) {
      const { session } = connection;
      state = connection.takenOver();
      if (clean) this.#forget(id, clientId, session);
    } else if (parked !== undefined) {
      this.#parked.delete(id);
      state = parked.session.toState();
      if (clean) this.#forget(id, clientId, parked.session);
    }
    if (clean) state = null;
    if (state !== null) this.#moved.set(id, { to: by, until: Date.now() + MOVED_FOR_MS });
    this.#clients.post("handover", id, clientId, state);
  }

  tick(): void {
    const now = Date.now();
    for (const connection of this.#connections.values()) connection.tick(now);
    for (const [id, { clientId, session, until }] of this.#parked) {
      if (until > now) continue;
      this.#parked.delete(id);
      this.#forget(id, clientId, session);
      this.#clients.post("left", id, clientId, false, 0);
    }
    for (const [id, { until }] of this.#moved) if (until <= now) this.#moved.delete(id);
  }

  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections.values()) connection.drain();
  }

  goodbye(): void {
    for (const connection of [...this.#connections.values()]) connection.goodbye();
  }

  #deliverTo(id: number, message: Message, flags: number, now: number): void {
    const connection = this.#connections.get(id);
    if (connection !== undefined) return connection.deliver(message, flags, now);
    if ((flags & 1) === 0) return;
    const parked = this.#parked.get(id);
    if (parked !== undefined) {
      const before = parked.session.dropped;
      parked.session.enqueue(deliveryOf(message, flags));
      this.counts.dropped += parked.session.dropped - before;
      return;
    }
    const moved = this.#moved.get(id);
    if (moved === undefined) return;
    if (partitionOf(moved.to) === this.#index) this.#deliverTo(moved.to, message, flags, now);
    else this.#clients.post("forward", moved.to, message, flags);
  }

  #askTopics<T>(method: string, id: number, clientId: string, all: readonly T[], filterOf: (one: T) => string): void {
    const byPart = new Map<number, T[]>();
    for (const one of all) {
      for (const part of partsOf(filterOf(one), this.#topics.length)) {
        const list = byPart.get(part);
        if (list === undefined) byPart.set(part, [one]);
        else list.push(one);
      }
    }
    this.#unconfirmed.set(id, byPart.size);
    for (const [part, list] of byPart) this.#topics[part].post(method, id, clientId, list);
  }

  #forget(id: number, clientId: string, { filters }: Session): void {
    if (filters.size === 0) return;
    for (const topics of this.#topics) topics.post("leave", id, clientId);
  }
}
