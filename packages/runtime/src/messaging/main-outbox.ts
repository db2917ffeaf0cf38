import { availableParallelism } from "node:os";
import type { MessagePort } from "node:worker_threads";
import {
  type CallerNotices,
  Outbox,
  type Peer,
  type Self,
  type SystemRecord,
  takeRecord,
  takeReplies,
  type Unsent,
  WaitingLine,
} from "@mini-otp/worker-host/protocol/calls";
import { ActorError, shownMethod } from "@mini-otp/worker-host/protocol/errors";
import { type NameTable, PARKED, type Producer, SYSTEM_LANE, wakeAll } from "@mini-otp/worker-host/protocol/memory";
import { MAX_TIMER_MS } from "@mini-otp/worker-host/protocol/options";
import type { Notice, Parcel } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, ActorStats, PoolRef, TaskOptions } from "@mini-otp/worker-host/protocol/refs";
import { newPayload, type Payload, RingReader } from "@mini-otp/worker-host/protocol/ring";
import { decodeTask, encodeTask, type TaskValue } from "@mini-otp/worker-host/protocol/values";
import type { Slots } from "../mailbox/slots.js";
import { ReplyWatch } from "./reply-watch.js";

/** What main's outbox needs of the rest of the runtime. */
export interface MainOutboxHost {
  handleNotice(notice: Notice): void;
  /** Main's channel to the thread with this owner id. */
  channelTo(ownerId: number): MessagePort | undefined;
  /** Handles the starts that threads have reported, because an actor's start comes before its replies. True if any. */
  takeStarts(): boolean;
  stats(uid: number, address: number): ActorStats | undefined;
  ownRef(uid: number): ActorRef | undefined;
  ownPool(uid: number): PoolRef | undefined;
  runTask(uid: number, id: string, task: TaskValue, options: TaskOptions): Promise<TaskValue>;
}

/**
 * Main takes this many replies, then lets their callers run: they may call again, and should do so before the actor has
 * nothing left to do and goes to sleep.
 */
const REPLIES_PER_TURN = 32;
/** Main answers no calls. */
const NO_CALLEE: CallerNotices = { cancelled() {}, granted() {} };

const NOTHING: readonly never[] = [];

/** Main's sending side. It never blocks: a message that finds its mailbox full waits in line until there is room. */
export class MainOutbox extends Outbox {
  readonly #replies: RingReader;
  readonly #host: MainOutboxHost;
  readonly #watch: ReplyWatch;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #closed = false;

  /** `awake` is the number of actors' threads that do not sleep. */
  constructor(self: Self, slots: Slots, names: NameTable, producer: Producer, awake: Int32Array, host: MainOutboxHost) {
    super(self, slots.segments, names, producer);
    this.#host = host;
    this.#replies = new RingReader(self.memory, SYSTEM_LANE, newPayload(64 * 1024));
    this.#watch = new ReplyWatch({
      words: self.memory.words,
      awake,
      cores: availableParallelism(),
      // Starts come first, alone: their supervisors take microtasks to learn of them, and replies come after that.
      take: () => (this.#host.takeStarts() ? 1 : this.#take(REPLIES_PER_TURN)),
      arrived: () => this.#replies.pending,
      expecting: () => this.pending.size > 0,
    });
  }

  readonly #decodeTask = (value: TaskValue): unknown => decodeTask(this.codec, value);

  stats(uid: number, address: number): ActorStats | undefined {
    return this.#host.stats(uid, address);
  }

  ownPool(uid: number): PoolRef | undefined {
    return this.#host.ownPool(uid);
  }

  runTask(uid: number, id: string, task: unknown, options: TaskOptions, isStream?: true): Promise<unknown> {
    let value: TaskValue;
    try {
      value = encodeTask(this.codec, id, task, options.transferList ?? NOTHING, "task");
    } catch (error) {
      return Promise.reject(error);
    }
    if (isStream) value = { ...value, isStream };
    return this.#host.runTask(uid, id, value, options).then(this.#decodeTask);
  }

  ownRef(uid: number): ActorRef | undefined {
    return this.#host.ownRef(uid);
  }

  override callSync({ id }: Peer, method: string): never {
    const message = `id=${id} method=${shownMethod(method)}: callSync blocks its thread; on main use call`;
    throw new ActorError("ERR_WRONG_THREAD", message, { id });
  }

  override castSync({ id }: Peer, method: string): never {
    const message = `id=${id} method=${shownMethod(method)}: castSync blocks its thread; on main use cast`;
    throw new ActorError("ERR_WRONG_THREAD", message, { id });
  }

  /** Takes a reply, or a record of a stream, that came by port instead of by ring. */
  takeRecord(record: SystemRecord, payload: Payload, transferred: readonly unknown[]): void {
    takeRecord(this.codec, this.pending, NO_CALLEE, record, payload, transferred);
  }

  /** Takes the replies that have arrived. Call it before telling callers of an exit, because the replies came first. */
  takeReplies(): void {
    this.#host.takeStarts();
    this.#take(Infinity);
  }

  override get whyGone(): string | undefined {
    return this.#closed ? "the system has stopped" : undefined;
  }

  close(errorOf: (id: string) => ActorError): void {
    this.#closed = true;
    this.#watch.close();
    clearTimeout(this.#timer);
    this.takeReplies();
    for (const peer of this.peers) {
      for (let unsent = peer.unsent.shift(); unsent !== undefined; unsent = peer.unsent.shift()) {
        unsent.refused(errorOf(peer.id));
      }
    }
    this.pending.failAll((call) => errorOf(call.id));
    // Ends the reply watch's outstanding wait.
    wakeAll(this.self.memory.words, PARKED);
  }

  #take(limit: number): number {
    return takeReplies(this.#replies, this.codec, this.pending, NO_CALLEE, limit);
  }

  protected override armTimer(deadline: number): void {
    if (this.#timer !== undefined && this.#timerAt <= deadline) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        // A reply that has arrived counts, however late main looks.
        this.takeReplies();
        this.pending.expire(performance.now());
        const next = this.pending.nextDeadline;
        if (next !== Infinity) this.armTimer(next);
      },
      Math.min(Math.max(0, Math.ceil(deadline - performance.now())), MAX_TIMER_MS),
    );
  }

  protected override waitForRoom(unsent: Unsent): void {
    const { peer } = unsent;
    peer.member?.openLine();
    peer.unsent.push(unsent);
    if (peer.unsent.length === 1) new WaitingLine(peer, this.names, (next) => this.retry(next)).advance();
  }

  protected override fetchSegment(): void {}

  protected override channelTo(ownerId: number): MessagePort | undefined {
    return this.#host.channelTo(ownerId);
  }

  protected override replyExpected(): void {
    this.#watch.expect();
  }

  protected override tellMain(notice: Notice): void {
    this.#host.handleNotice(notice.type === "parcel" ? { ...notice, parcel: takenFromSender(notice.parcel) } : notice);
  }
}

/** Detaches the transferred objects from the sender, although they stay on main for now. */
function takenFromSender(parcel: Parcel): Parcel {
  const { transferred } = parcel;
  if (transferred.length === 0) return parcel;
  return { ...parcel, transferred: structuredClone(transferred, { transfer: [...transferred] as never }) };
}
