import type { MessagePort } from "node:worker_threads";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { type NameTable, numberedName, type Producer } from "@mini-otp/worker-host/protocol/memory";
import type { Notice, Parcel, ToActor } from "@mini-otp/worker-host/protocol/port";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";
import type { Undelivered } from "../mailbox/mailbox.js";
import type { Slot, Slots } from "../mailbox/slots.js";
import type { Events } from "../reporting/events.js";
import { FullMailboxes, type MailboxOwner } from "../reporting/full-mailboxes.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import { Callers } from "./callers.js";
import type { DeadLetters } from "./dead-letters.js";
import { DirectChannels } from "./direct-channels.js";
import { handOver } from "./hand-over.js";
import { MainChannels } from "./main-channels.js";
import type { MainOutbox } from "./main-outbox.js";
import { Parcels } from "./parcels.js";

/** The part of an actor that its mail needs. */
export interface MailedActor extends MailboxOwner {
  /** Owner id of the thread that runs it; 0 for none. */
  readonly ownerId: number;
  readonly spec: Pick<FullActorSpec, "mailbox" | "maxDeliveries">;
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}

export interface MailRoomParts {
  readonly slots: Slots;
  readonly names: NameTable;
  readonly producer: Producer;
  readonly outbox: MainOutbox;
  readonly deadLetters: DeadLetters;
  readonly events: Events;
  actorBy(uid: number): MailedActor | undefined;
  /** Whether the thread with this owner id still runs. */
  hasThread(ownerId: number): boolean;
}

const NONE: readonly number[] = [];
const none = (): readonly number[] => NONE;

/** Main's part in messages: parcels, replies that take a detour, callers of an actor that has exited, dead letters. */
export class MailRoom {
  readonly outbox: MainOutbox;
  readonly producer: Producer;
  readonly deadLetters: DeadLetters;
  readonly #parts: MailRoomParts;
  readonly #parcels = new Parcels();
  readonly #callers: Callers;
  readonly #channels = new DirectChannels();
  readonly #mainChannels: MainChannels;
  readonly #fullMailboxes: FullMailboxes;

  constructor(parts: MailRoomParts) {
    this.#parts = parts;
    this.outbox = parts.outbox;
    this.producer = parts.producer;
    this.deadLetters = parts.deadLetters;
    this.#mainChannels = new MainChannels(parts.producer.ownerId);
    this.#callers = new Callers(parts.slots, parts.outbox, (uid) => parts.actorBy(uid));
    this.#fullMailboxes = new FullMailboxes(parts.events);
  }

  /** Main's channel to the thread with this owner id. */
  channelTo(ownerId: number): MessagePort | undefined {
    return this.#mainChannels.to(ownerId);
  }

  /** `from` is the actor whose thread tells it; undefined: main itself. */
  handleNotice(notice: Notice, from?: MailedActor): void {
    switch (notice.type) {
      case "parcel":
        this.#parcels.add(notice.uid, notice.parcel);
        if (notice.parcel.transferred.length > 0)
          this.#channels.provide(from ?? this.#mainChannels, this.#parts.actorBy(notice.uid));
        return;
      case "parcel_lost":
        return this.#parcels.discard(notice.owner, notice.number);
      case "mailbox_full": {
        const actor = this.#parts.actorBy(notice.uid);
        if (actor !== undefined) this.#fullMailboxes.found(actor, notice.method);
        return;
      }
      case "dropped":
        return this.deadLetters.add(notice.id, notice.method, "dropped");
      case "detour":
        this.#callers.detour(notice);
        if (notice.transferred.length > 0) this.#channels.provide(from, this.#parts.actorBy(notice.uid));
        return;
    }
  }

  /**
   * Posts a parcel to the actor that has reached the parcel's placeholder in its mailbox. `direct`: its sender posted it
   * to a thread of the actor, so it is here only if that thread has returned it.
   */
  claim(actor: MailedActor, owner: number, number: number, direct: boolean): void {
    const senderLives = !direct && this.#senderLives(owner);
    this.#parcels.claim(actor.slot.uid, owner, number, senderLives, actor.spec.maxDeliveries > 1, (parcel) => {
      const none = (): void => actor.post({ type: "parcel", parcel: null });
      if (parcel === null) none();
      else
        handOver(
          parcel.transferred,
          (list) => actor.post({ type: "parcel", parcel: { ...parcel, transferred: list } }, list),
          none,
        );
    });
  }

  /** Gives a parcel to the process that has reached its placeholder. With `keep`, it can be delivered once more. */
  claimParcel(uid: number, owner: number, number: number, keep: boolean, take: (parcel: Parcel | null) => void): void {
    this.#parcels.claim(uid, owner, number, this.#senderLives(owner), keep, take);
  }

  #senderLives(owner: number): boolean {
    return owner === this.producer.ownerId || this.#parts.hasThread(owner);
  }

  /** Tells each caller of the actor in `slot` that calls it consumed before `consumedBefore` get no reply any more. */
  notifyCallers(
    slot: Slot,
    reason: ExitReason,
    consumedBefore: number,
    closed: boolean,
    keptOf: (callerUid: number) => readonly number[] = none,
  ): void {
    this.#callers.notify(slot, reason, consumedBefore, closed, keptOf);
  }

  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void {
    for (const { method, methodText, attempts, parcel } of messages) {
      if (parcel !== undefined) this.#parcels.discard(parcel.owner, parcel.number, parcel.target === 0);
      const name = methodText ?? numberedName(this.#parts.names, method);
      this.deadLetters.add(id, name, attempts > 0 ? "in_flight" : "queued", reason);
    }
  }

  unhandled(id: string, method: string, detail: string): void {
    this.deadLetters.add(id, method, "unhandled", undefined, detail);
  }

  /** The thread hands over no more parcels, and the claims it made for its actor are void. */
  threadExited(ownerId: number, actor: MailedActor): void {
    this.#channels.threadExited(ownerId);
    this.#mainChannels.threadExited(ownerId);
    this.#parcels.senderExited(ownerId);
    this.#parcels.forget(actor.slot.uid, "claims");
  }

  /** The actor is gone for good. */
  forget(actor: MailedActor): void {
    this.#parcels.forget(actor.slot.uid, "all");
    this.#fullMailboxes.forget(actor);
  }

  /** Mailboxes that are full, by path: for how long. */
  fullForMs(): Map<string, number> {
    return this.#fullMailboxes.fullForMs();
  }

  close(): void {
    this.#fullMailboxes.close();
    this.#mainChannels.close();
  }
}
