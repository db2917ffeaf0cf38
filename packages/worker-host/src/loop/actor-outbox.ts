import { performance } from "node:perf_hooks";
import type { MessagePort } from "node:worker_threads";
import { Outbox } from "../protocol/calls/outbox.js";
import { mailboxFull } from "../protocol/calls/overflow.js";
import type { Peer, Self, Unsent } from "../protocol/calls/peers.js";
import { type CallerNotices, takeReplies } from "../protocol/calls/replies.js";
import { ActorError } from "../protocol/errors/errors.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { countBlocked } from "../protocol/memory/counters.js";
import { announce, ring, sleep } from "../protocol/memory/doorbell.js";
import { methodOf } from "../protocol/memory/method-name.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import type { Segments } from "../protocol/memory/segments.js";
import { MAILBOX_LANE, SPACE } from "../protocol/memory/slot-descriptor.js";
import type { Detour, Notice, ToActor, ToMain } from "../protocol/port/messages.js";
import type { ActorRef, TaskOptions } from "../protocol/refs/actor-ref.js";
import type { Transferable } from "../protocol/refs/actor-types.js";
import type { RefOptions } from "../protocol/refs/ref-options.js";
import { taskAborted } from "../protocol/refs/refusal.js";
import { notTransferable } from "../protocol/refs/transfer-list.js";
import { whenAborted } from "../protocol/refs/when-aborted.js";
import { BUSY, FULL } from "../protocol/ring/ring-writer.js";
import { decodeForeign, type Encoded, encoded, payloadOf, type TaskValue } from "../protocol/values/encoded.js";
import { decodeTask, encodeTask, transferListOf } from "../protocol/values/task-value.js";
import type { IdleStrategy } from "./idle-strategy.js";
import type { Inbox } from "./inbox.js";

/** A sleeper looks again this often, whatever it may have missed. */
const SLICE_MS = 50;
const MEMBER_SLICE_MS = 5;

interface OpenTask {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Takes the abort listener off. */
  release(): void;
}

/** What the outbox needs from its thread. */
export interface OutboxParts {
  readonly inbox: Inbox;
  readonly port: MessagePort;
  readonly idle: IdleStrategy;
  /** Handles main's control messages while this thread is blocked. */
  takeControl(): void;
  readonly notices: CallerNotices;
  /** Throws while this thread is not an actor yet. */
  mayConnect?(): void;
}

/** The sending side of an actor's thread, which may block. */
export class ActorOutbox extends Outbox {
  readonly #parts: OutboxParts;
  #ownState: ConsumerState | undefined;
  /** The circle of waiting actors that this thread has to break, by failing the operation it is blocked in. */
  #cycle: readonly string[] | undefined;
  #found: Encoded | undefined;
  /** The tasks that pools run for this actor, by request. */
  readonly #tasks = new Map<number, OpenTask>();
  #lastTask = 0;
  /** The starts of children that main has not answered, by request. */
  readonly #children = new Map<number, Pick<OpenTask, "resolve" | "reject">>();
  #lastChild = 0;
  /** Called when a call's deadline becomes the earliest. */
  onDeadline: () => void = () => {};

  constructor(self: Self, segments: Segments, names: NameTable, producer: Producer, parts: OutboxParts) {
    super(self, segments, names, producer);
    this.#parts = parts;
  }

  override connect(address: number, uid: number, id: string): Peer {
    this.#parts.mayConnect?.();
    return super.connect(address, uid, id);
  }

  /** Settles the calls whose replies have arrived. Returns how many records there were. */
  takeReplies(): number {
    return takeReplies(this.#parts.inbox.system, this.codec, this.pending, this.#parts.notices);
  }

  /** Sends the task to main, which runs the pool. */
  runTask(uid: number, id: string, task: unknown, options: TaskOptions, isStream?: true): Promise<unknown> {
    const { signal, transferList = [], name, waits = false } = options;
    if (signal?.aborted === true) return Promise.reject(taskAborted(id, signal));
    const request = ++this.#lastTask;
    let value: TaskValue;
    try {
      value = encodeTask(this.codec, id, task, transferList, "task");
      if (isStream) value = { ...value, isStream };
    } catch (error) {
      return Promise.reject(error);
    }
    try {
      this.post({ type: "run_task", request, uid, id, task: value, name, waits }, transferListOf(value));
    } catch (error) {
      return Promise.reject(notTransferable({ id }, error));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#tasks.delete(request);
        this.post({ type: "abort_task", request });
        reject(taskAborted(id, signal as AbortSignal));
      };
      const release = signal === undefined ? () => {} : whenAborted(signal, onAbort);
      this.#tasks.set(request, { resolve, reject, release });
    });
  }

  /** Has main start a child of this actor. */
  startChild(spec: unknown): Promise<unknown> {
    const request = ++this.#lastChild;
    let value: Encoded;
    try {
      value = encoded(this.codec.encodeValue(spec, undefined, "spec"));
    } catch (error) {
      return Promise.reject(error);
    }
    this.post({ type: "start_child", request, spec: value });
    return new Promise((resolve, reject) => this.#children.set(request, { resolve, reject }));
  }

  childStarted({ request, failed, value }: Extract<ToActor, { type: "child_started" }>): void {
    const child = this.#children.get(request);
    this.#children.delete(request);
    const outcome = decodeForeign(this.codec, value);
    if (failed) child?.reject(outcome);
    else child?.resolve(outcome);
  }

  taskSettled({ request, value, error }: Extract<ToActor, { type: "task_settled" }>): void {
    const task = this.#tasks.get(request);
    this.#tasks.delete(request);
    task?.release();
    if (task === undefined) return;
    try {
      if (error !== undefined) task.reject(this.codec.decodeValue(payloadOf(error)));
      else task.resolve(value === undefined ? undefined : decodeTask(this.codec, value));
    } catch (undecodable) {
      task.reject(undecodable);
    }
  }

  breakCycle(cycle: readonly string[]): void {
    this.#cycle = cycle;
  }

  override callSync(to: Peer, method: string, args: unknown[], options: RefOptions): unknown {
    let failed = false;
    let outcome: unknown;
    let settled = false;
    const correlation = this.request(
      to,
      method,
      args,
      options,
      (value) => {
        outcome = value;
        settled = true;
      },
      (error) => {
        outcome = error;
        failed = settled = true;
      },
    );
    if (!settled) {
      this.#block(to);
      while (!settled) {
        this.#awaitReply();
        const cycle = this.#cycle;
        if (cycle !== undefined) this.pending.fail(correlation, callCycle(to, method, cycle));
      }
      this.#unblock();
    }
    if (failed) throw outcome;
    return outcome;
  }

  override castSync(to: Peer, method: string, args: unknown[], options: RefOptions): void {
    this.castBlocking(to, method, args, options);
  }

  /** Asks main, and blocks until it answers. */
  whereis(name: string): ActorRef | undefined {
    this.#found = undefined;
    this.post({ type: "whereis", name });
    const { inbox, takeControl } = this.#parts;
    while (this.#found === undefined) {
      if (inbox.takeControlFlag()) takeControl();
      else inbox.sleep(false, SLICE_MS);
    }
    return this.codec.decodeValue(payloadOf(this.#found)) as ActorRef | undefined;
  }

  found(ref: Encoded): void {
    this.#found = ref;
  }

  #awaitReply(): void {
    const { inbox, idle, takeControl } = this.#parts;
    if (this.takeReplies() > 0) return;
    if (inbox.takeControlFlag()) {
      takeControl();
      return;
    }
    const spins = idle.spins;
    for (let spin = 0; spin < spins; spin++) {
      if (inbox.arrived(false)) {
        idle.found();
        return;
      }
    }
    if (spins > 0) idle.foundNothing();
    const now = performance.now();
    const deadline = this.pending.nextDeadline;
    if (deadline <= now) this.pending.expire(now);
    else inbox.sleep(false, deadline - now);
  }

  /** Made when it is needed: a thread that takes an actor over has no slot before, and blocks on no one. */
  get #state(): ConsumerState {
    this.#ownState ??= new ConsumerState(this.self.memory.words);
    return this.#ownState;
  }

  #block(on: Peer): void {
    this.#cycle = undefined;
    // Main looks at this word now and then, for circles.
    this.#state.blockOn(on.uid);
  }

  #unblock(): void {
    this.#cycle = undefined;
    this.#state.unblock();
  }

  protected override armTimer(): void {
    this.onDeadline();
  }

  protected override waitForRoom(unsent: Unsent): void {
    const { peer } = unsent;
    const { inbox, takeControl } = this.#parts;
    let since = performance.now();
    this.#block(peer);
    const bell = (): Int32Array => peer.member?.table ?? peer.words;
    const space = peer.member?.space ?? MAILBOX_LANE + SPACE;
    // It may be the partition's ring that is full, and not the light actor's own mailbox.
    const sliceMs = peer.member === undefined ? SLICE_MS : MEMBER_SLICE_MS;
    for (;;) {
      announce(bell(), space);
      const outcome = this.retry(unsent);
      if (outcome !== FULL && outcome !== BUSY) break;
      const now = performance.now();
      // At each round, not only at the end: the wait may be long.
      countBlocked(peer.words, now - since);
      since = now;
      const left = unsent.deadline - now;
      if (left <= 0) {
        unsent.refused(mailboxFull(peer, methodOf(this.names, unsent.method, unsent.payload)));
        break;
      }
      // Main rings the doorbell, not the space this thread sleeps at, so it looks for control messages by the slice.
      if (inbox.takeControlFlag()) takeControl();
      if (this.#cycle !== undefined) {
        unsent.refused(callCycle(peer, methodOf(this.names, unsent.method, unsent.payload), this.#cycle));
        break;
      }
      inbox.asleep(() => sleep(bell(), space, Math.min(sliceMs, left)));
    }
    // What this thread announced may have hidden a wake-up from others that wait here: they look for themselves.
    ring(bell(), space);
    this.#unblock();
    countBlocked(peer.words, performance.now() - since);
  }

  protected override fetchSegment(): void {
    // Main posts a new segment to every thread before it gives out an address in it.
    this.#parts.inbox.control.poll();
  }

  protected override replyDirectly(to: Peer, { type: _, uid, ...record }: Detour): boolean {
    const caller = new ConsumerState(to.words);
    const port = this.channelTo(caller.consumerOf(uid));
    if (port === undefined) return false;
    // If the caller's thread ends meanwhile, its calls end with it: no other thread waits for their replies.
    const reply: ToActor = { type: "reply", ...record };
    port.postMessage(reply, record.transferred);
    caller.controlPosted();
    return true;
  }

  protected override channelTo(ownerId: number): MessagePort | undefined {
    return this.#parts.inbox.control.direct.to(ownerId);
  }

  protected override tellMain(notice: Notice, transfer?: readonly Transferable[]): void {
    this.post(notice, transfer);
  }

  post(message: ToMain, transfer: readonly Transferable[] = []): void {
    this.#parts.port.postMessage(message, transfer);
  }
}

function callCycle(to: Peer, method: string, cycle: readonly string[]): ActorError {
  const message = `id=${to.id} method=${method}: these actors wait for each other: ${cycle.join(" → ")}`;
  return new ActorError("ERR_CALL_CYCLE", message, { id: to.id, method, cycle });
}
