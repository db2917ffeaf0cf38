import type { ActorRef } from "@mini-otp/worker-host";
import type ConnectionActor from "../connection.actor.js";
import type { Connection } from "../core/connection.js";
import { connectionId, partitionOf } from "../core/connection-id.js";
import type { Claim, Counts, Hub, Leaving } from "../core/hub.js";
import { deliveryOf, type Message, type Subscription } from "../core/message.js";
import { Session, type SessionState } from "../core/session.js";
import { partOf, partsOf } from "../core/topics.js";
import { Mail } from "./mail.js";

export interface PartitionArgs {
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

/** A connection's actor, and what it has said of itself. */
interface Member {
  readonly ref: ActorRef<typeof ConnectionActor>;
  connection: Connection | undefined;
}

/**
 * The connections of one thread, each a light actor, and the sessions that they have left. The hub calls it in its turns,
 * and each connection in its own; between these it sends messages.
 */
export class Partition implements Hub {
  readonly counts: Counts = { received: 0, sent: 0, dropped: 0, malformed: 0 };
  readonly #index: number;
  readonly #incarnation: number;
  readonly #topics: readonly Mail[];
  readonly #clients: Mail;
  readonly #members = new Map<number, Member>();
  readonly #parked = new Map<number, Parked>();
  readonly #moved = new Map<number, { readonly to: number; readonly until: number }>();
  /** Of each connection that has asked topics for something: how many have to answer. */
  readonly #unconfirmed = new Map<number, number>();
  /** What each connection that waits for room does then. */
  readonly #resumes = new Map<number, () => void>();
  #serial = 0;
  #draining = false;

  constructor({ topics, clients }: PartitionArgs, index: number, incarnation: number) {
    this.#index = index;
    this.#incarnation = incarnation;
    this.#topics = topics.map((ref) => new Mail(ref));
    this.#clients = new Mail(clients);
  }

  get connections(): number {
    return this.#members.size;
  }

  get parked(): number {
    return this.#parked.size;
  }

  /** A number for a connection that is about to begin. */
  newId(): number {
    return connectionId(this.#index, this.#incarnation, ++this.#serial);
  }

  add(id: number, ref: ActorRef<typeof ConnectionActor>): void {
    this.#members.set(id, { ref, connection: undefined });
    if (this.#draining) ref.tryCast("goodbye");
  }

  /** From the connection's own init. */
  began(connection: Connection): void {
    const member = this.#members.get(connection.id);
    if (member !== undefined) member.connection = connection;
  }

  ended(id: number): void {
    this.#members.delete(id);
  }

  claim(connection: Connection, { clientId, clean, will }: Claim): void {
    this.#clients.post("claim", connection.id, clientId, clean, will);
  }

  publish(connection: Connection, message: Message): boolean {
    const { id } = connection;
    let resume = this.#resumes.get(id);
    if (resume === undefined) {
      resume = () => void this.#members.get(id)?.ref.tryCast("resume");
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
    this.#members.delete(id);
    if (handedOver) return;
    if (keepMs > 0) this.#parked.set(id, { clientId, session, until: Date.now() + keepMs });
    else this.#forget(id, clientId, session);
    this.#clients.post("left", id, clientId, will, keepMs);
  }

  /** `targets`: pairs of a connection and how it gets the message. */
  deliver(message: Message, targets: readonly number[]): void {
    for (let i = 0; i < targets.length; i += 2) this.#deliverTo(targets[i], message, targets[i + 1]);
  }

  confirmed(id: number): void {
    const left = (this.#unconfirmed.get(id) ?? 1) - 1;
    if (left > 0) {
      this.#unconfirmed.set(id, left);
      return;
    }
    this.#unconfirmed.delete(id);
    this.#members.get(id)?.ref.tryCast("confirmed");
  }

  granted(id: number, clientId: string, state: SessionState | null, from: number): void {
    const member = this.#members.get(id);
    const parked = this.#parked.get(id);
    if (state !== null) for (const topics of this.#topics) topics.post("move", from, id, clientId);
    if (member !== undefined) member.ref.tryCast("granted", state);
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
    const member = this.#members.get(id);
    if (member?.ref.tryCast("takenOver", by, clean) === "ok") return;
    const parked = this.#parked.get(id);
    this.#parked.delete(id);
    this.#handOver(id, clientId, parked?.session, parked?.session.toState() ?? null, by, clean);
  }

  /** From the connection itself, in its own turn. */
  handOver({ id, clientId, session }: Connection, state: SessionState, by: number, clean: boolean): void {
    this.#handOver(id, clientId, session, state, by, clean);
  }

  tick(): void {
    const now = Date.now();
    for (const { ref, connection } of this.#members.values()) if (connection?.isSilent(now)) ref.tryCast("tick");
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
    for (const { ref } of this.#members.values()) ref.tryCast("drain");
  }

  goodbye(): void {
    for (const { ref } of this.#members.values()) ref.tryCast("goodbye");
  }

  #deliverTo(id: number, message: Message, flags: number): void {
    const member = this.#members.get(id);
    if (member !== undefined) {
      if (member.ref.tryCast("deliver", message, flags) !== "ok") this.counts.dropped++;
      return;
    }
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
    if (partitionOf(moved.to) === this.#index) this.#deliverTo(moved.to, message, flags);
    else this.#clients.post("forward", moved.to, message, flags);
  }

  #handOver(
    id: number,
    clientId: string,
    session: Session | undefined,
    state: SessionState | null,
    by: number,
    clean: boolean,
  ): void {
    if (clean && session !== undefined) this.#forget(id, clientId, session);
    const handed = clean ? null : state;
    if (handed !== null) this.#moved.set(id, { to: by, until: Date.now() + MOVED_FOR_MS });
    this.#clients.post("handover", id, clientId, handed);
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
