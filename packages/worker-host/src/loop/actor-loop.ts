import { performance } from "node:perf_hooks";
import type { ActorContext } from "../actor/context.js";
import type { ActorDefinition } from "../actor/define-actor.js";
import type { CallerNotices } from "../protocol/calls/replies.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { STAMP_ALL } from "../protocol/memory/slot-descriptor.js";
import { MAX_TIMER_MS } from "../protocol/options/bounds.js";
import type { InitData } from "../protocol/port/boot.js";
import type { ActorOutbox } from "./actor-outbox.js";
import { ControlMessages } from "./control-messages.js";
import { createContext } from "./create-context.js";
import { CurrentCall } from "./current-call.js";
import type { IdleStrategy } from "./idle-strategy.js";
import type { Inbox } from "./inbox.js";
import type { LoopHost } from "./loop-host.js";
import { LoopState } from "./loop-state.js";
import type { Members } from "./members.js";
import { MessageHandler } from "./message-handler.js";
import type { Meter } from "./meter.js";
import type { Microtasks } from "./microtasks.js";
import { DRAINED, HAND_OVER, MAIL, type Mail, NOTHING, nextWork, STOP } from "./next-work.js";
import { OwnMessages } from "./own-messages.js";
import { OwnWork } from "./own-work.js";
import type { Snapshot } from "./snapshot.js";
import { Streams } from "./streams.js";

/** An idle actor first blocks its thread this long, because it wakes fastest from that; then its event loop turns. */
const HOLD_MS = 10;
/** Under load the event loop turns at least this often. */
const TURN_MS = 4;
const MESSAGES_PER_CLOCK_READ = 64;
/** While calls are open, and may be over their time. */
const FAST_MESSAGES_PER_CLOCK_READ = 16;
const NO_MAIL: Mail = { next: () => false };

/**
 * One incarnation of an actor: takes one message at a time. Main's control messages and replies come first,
 * the rest in the order of `nextWork`. Between two messages microtasks run.
 */
export class ActorLoop implements CallerNotices {
  readonly context: ActorContext<any>;
  readonly #inbox: Inbox;
  readonly #outbox: ActorOutbox;
  readonly #idle: IdleStrategy;
  readonly #microtasks: Microtasks;
  readonly #words: Int32Array;
  readonly #state: ConsumerState;
  readonly #loopState = new LoopState();
  readonly #own = new OwnMessages(performance);
  readonly #call: CurrentCall;
  readonly #handler: MessageHandler;
  readonly #control: ControlMessages;
  readonly #ownWork: OwnWork;
  readonly #streams: Streams;
  /** A message was handled last, so an open stream comes next. */
  #streamIsNext = false;
  readonly #members: Members | undefined;
  #scheduled = false;
  #handled = 0;
  #lastTurn = 0;
  #heldSince = 0;
  #wakeTimer: NodeJS.Timeout | undefined;
  #wakeAt = Infinity;

  constructor(
    definition: ActorDefinition,
    init: InitData,
    args: unknown,
    inbox: Inbox,
    outbox: ActorOutbox,
    idle: IdleStrategy,
    microtasks: Microtasks,
    meter: Meter,
    host: LoopHost,
  ) {
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#idle = idle;
    this.#microtasks = microtasks;
    this.#words = outbox.self.memory.words;
    this.#state = new ConsumerState(this.#words);
    const { handlers, version } = definition;
    const loopState = this.#loopState;
    const own = this.#own;
    const schedule = (): void => this.#schedule();
    const state = this.#state;
    const streams = new Streams({
      codec: outbox.codec,
      loopState,
      schedule,
      send: ({ address, uid, correlation }, kind, number, payload) =>
        outbox.reply(address, uid, kind, correlation, payload, [], number),
      watch: (uid) => outbox.post({ type: "watch_reader", uid }),
      unwatch: (uid) => outbox.post({ type: "demonitor", monitor: -uid }),
      open: (count) => state.streamsOpen(count),
      sent: (items) => state.itemsSent(items),
      begin: (method) => this.#handler.beginItem(method),
      end: () => state.endHandling(),
      threw: (error, method, fail) => this.#handler.streamThrew(error, method, fail),
    });
    this.#streams = streams;
    const call = new CurrentCall(init.id, outbox, loopState, streams);
    const context = createContext({ init, args, log: host.log, handlers, outbox, own, call, loopState, schedule });
    const { mailbox, control: channel } = inbox;
    const handler = new MessageHandler({
      definition,
      context,
      mailbox,
      outbox,
      direct: channel.direct,
      call,
      streams,
      loopState,
      meter,
      host,
      schedule,
      mayRest: () => {
        if (!loopState.waits && !loopState.handOver) inbox.offer();
      },
      throws: init.throws ?? definition.throws,
    });
    this.#call = call;
    this.context = context;
    this.#handler = handler;
    this.#control = new ControlMessages({
      channel,
      outbox,
      context,
      version,
      loopState,
      own,
      call,
      streams,
      notices: this,
      handler,
      host,
      schedule,
    });
    outbox.onDeadline = schedule;
    this.#ownWork = new OwnWork(schedule);
    this.#members = host.members;
    const freeze = (): void => {
      loopState.frozen = true;
    };
    this.#members?.wakeBy(schedule, freeze);
  }

  /** Settles calls from now on, so that `init` can make some. */
  start(): void {
    this.#inbox.control.onMessage(() => this.#schedule());
    this.#schedule();
  }

  /** Init is done: takes messages from now on. */
  takeMessages(state: unknown): void {
    this.context.state = state;
    this.#handler.initialised();
    this.#schedule();
  }

  /** Continues where another thread stopped. Before `takeMessages`. */
  restore(snapshot: Snapshot): void {
    this.#control.restore(snapshot);
  }

  /** Handles main's control messages. A blocking call does it from within; otherwise the loop does. */
  takeControl(): void {
    this.#control.take();
  }

  /** The thread exits: sends what its streams have taken. */
  flushStreams(): void {
    this.#streams.flush();
  }

  /** A caller has given up: aborts the signal of its handler, or drops the call if it still waits. */
  cancelled(callerUid: number, correlation: number): void {
    if (this.#members?.cancelled(callerUid, correlation)) return;
    if (this.#loopState.busy && this.#call.is(callerUid, correlation)) this.#call.abort();
    else this.#call.cancel(callerUid, correlation);
  }

  granted(readerUid: number, correlation: number, items: number, bytes: number): void {
    this.#streams.granted(readerUid, correlation, items, bytes);
  }

  /** Has the next turn come when all microtasks have run. */
  #schedule(): void {
    if (this.#scheduled || this.#loopState.ended) return;
    this.#scheduled = true;
    this.#microtasks.drain(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#inbox.awake();
    while (!this.#loopState.ended) {
      if (!this.#work()) {
        if (!this.#rest()) return;
      } else if (++this.#handled % MESSAGES_PER_CLOCK_READ === 0 && this.#turnIsDue()) {
        return;
      }
      if (this.#microtasks.due) {
        this.#schedule();
        return;
      }
    }
  };

  /** Does one thing. False when there was nothing to do. */
  #work(): boolean {
    const inbox = this.#inbox;
    const loopState = this.#loopState;
    const handler = this.#handler;
    const { pending } = this.#outbox;
    // Before the look at main's flag: main's control messages take effect before the messages it sends after them.
    const hasMail = inbox.mailbox.noticed;
    if (inbox.takeControlFlag() || inbox.control.pending) {
      this.takeControl();
      // A reply may have settled a promise that the handler awaits: it goes on before the thread rests.
      if (this.#microtasks.due) return true;
    }
    if (inbox.system.noticed) {
      this.#outbox.takeReplies();
      this.#state.turn();
      // A reader that grants all the time must not keep messages waiting.
      if (!this.#streams.isReady) return true;
    }
    if (pending.size > 0 && this.#clockIsDue && pending.nextDeadline <= performance.now()) {
      pending.expire(performance.now());
      return true;
    }
    const streams = this.#streams;
    if (streams.isReady && this.#streamIsNext && streams.mayPull) {
      this.#takeItems();
      return true;
    }
    this.#streamIsNext = true;
    const membersHandled = this.#members === undefined ? 0 : this.#workOfMembers(this.#members);
    // A drain has closed the mailbox: what is in it now is all there will be.
    const mail = hasMail || loopState.draining !== undefined ? inbox.mailbox : NO_MAIL;
    const work = nextWork(loopState, this.#own, mail);
    if (work !== NOTHING) inbox.withdrawOffer();
    switch (work) {
      case NOTHING:
        if (!streams.isReady || !streams.mayPull) return membersHandled > 0;
        this.#takeItems();
        return true;
      case MAIL:
        handler.handle();
        return true;
      case STOP:
        handler.terminate(loopState.stopping as ExitReason);
        return true;
      case DRAINED:
        handler.terminate(loopState.draining as ExitReason);
        return true;
      case HAND_OVER:
        this.#control.handOver();
        return true;
      default:
        handler.handleOwn(work);
        return true;
    }
  }

  #takeItems(): void {
    this.#streamIsNext = false;
    this.#streams.attendNext();
    // It may have taken long: the clock is read after it.
    this.#handled |= MESSAGES_PER_CLOCK_READ - 1;
  }

  /** Members' messages count for the turn of the event loop as the loop's own do. */
  #workOfMembers(members: Members): number {
    const handled = members.work();
    const before = this.#handled;
    this.#handled = before + handled;
    // `#turn` looks when the count is a multiple of this: it is made one where it has passed one.
    const last = this.#handled - (this.#handled % MESSAGES_PER_CLOCK_READ);
    if (last > before) this.#handled = last - 1;
    else if (members.isLate()) this.#handled |= MESSAGES_PER_CLOCK_READ - 1;
    return handled;
  }

  /** After each message if the actor's handlers are slow. A clock read takes a third of the time of a fast message. */
  get #clockIsDue(): boolean {
    return this.#words[STAMP_ALL] === 1 || this.#handled % FAST_MESSAGES_PER_CLOCK_READ === 0;
  }

  #turnIsDue(): boolean {
    const now = performance.now();
    if (now - this.#lastTurn < TURN_MS) return false;
    this.#lastTurn = now;
    this.#scheduled = true;
    setImmediate(this.#turn);
    return true;
  }

  /**
   * Nothing to do: looks a little longer, then sleeps. False when the event loop has to turn until something wakes it.
   */
  #rest(): boolean {
    const inbox = this.#inbox;
    const loopState = this.#loopState;
    this.#state.turn();
    const withMailbox = !loopState.busy && !loopState.waits && !loopState.frozen;
    if (withMailbox) inbox.offer();
    else inbox.withdrawOffer();
    const spins = this.#idle.spins;
    for (let spin = 0; spin < spins; spin++) {
      if (inbox.arrived(withMailbox)) {
        this.#idle.found();
        this.#heldSince = 0;
        return true;
      }
    }
    if (spins > 0) this.#idle.foundNothing();

    const now = performance.now();
    const deadline = this.#outbox.pending.nextDeadline;
    if (deadline <= now) {
      this.#outbox.pending.expire(now);
      return true;
    }
    const ownDue = Math.min(withMailbox ? this.#own.nextDue : Infinity, deadline);
    const due = this.#members === undefined ? ownDue : Math.min(ownDue, this.#members.nextDue());
    if (this.#heldSince === 0) this.#heldSince = now;
    const ownWork = this.#ownWork.isUnderWay(now, this.#wakeTimer === undefined ? 0 : 1);
    if (now - this.#heldSince < HOLD_MS && !ownWork) {
      inbox.sleep(withMailbox, Math.max(0, Math.min(HOLD_MS, due - now)));
      if (inbox.arrived(withMailbox)) this.#heldSince = 0;
      return true;
    }
    this.#lastTurn = now;
    this.#state.mayRunCallbacks(ownWork);
    if (!inbox.sleepAsync(withMailbox, this.#wake)) return true;
    if (due !== Infinity) this.#wakeBy(due, now);
    return false;
  }

  readonly #wake = (): void => {
    this.#heldSince = 0;
    this.#schedule();
  };

  #wakeBy(due: number, now: number): void {
    if (this.#wakeTimer !== undefined && this.#wakeAt <= due) return;
    clearTimeout(this.#wakeTimer);
    this.#wakeAt = due;
    this.#wakeTimer = setTimeout(
      () => {
        this.#wakeTimer = undefined;
        this.#schedule();
      },
      Math.min(Math.max(0, due - now), MAX_TIMER_MS),
    );
  }
}
