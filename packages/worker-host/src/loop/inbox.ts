import { performance } from "node:perf_hooks";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Queue } from "../protocol/calls/queue.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { announce, retract, ring, sleep, sleepAsync } from "../protocol/memory/doorbell.js";
import { floatsAt } from "../protocol/memory/histogram.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import type { Segments, SlotMemory } from "../protocol/memory/segments.js";
import { IN_FLIGHT_OFFSET, MAILBOX_LANE, PARKED, SLEPT_MS, SYSTEM_LANE } from "../protocol/memory/slot-descriptor.js";
import type { ToActor } from "../protocol/port/messages.js";
import { DroppingReader } from "../protocol/ring/dropping-reader.js";
import { newPayload } from "../protocol/ring/payload.js";
import { RingReader } from "../protocol/ring/ring-reader.js";
import { DirectPorts } from "./direct-ports.js";

const PAYLOAD_BYTES = 64 * 1024;

/**
 * Main's control messages, in their order, and replies that come by a channel of their own. Those that bring shared
 * memory or such a channel take effect at once, whatever the actor does.
 */
export class ControlChannel {
  /** The channels to other actors' threads. */
  readonly direct: DirectPorts;
  readonly #port: MessagePort;
  readonly #segments: Segments;
  readonly #waiting = new Queue<ToActor>();
  #onMessage: () => void = () => {};

  /** `ownerId` is this thread's. */
  constructor(port: MessagePort, segments: Segments, ownerId: number) {
    this.#port = port;
    this.direct = new DirectPorts(
      ownerId,
      (message) => this.#waiting.push(message),
      () => this.#onMessage(),
    );
    this.#segments = segments;
    // The listener also keeps the thread alive while it waits without blocking.
    port.on("message", (message: ToActor) => {
      this.#accept(message);
      this.#onMessage();
    });
  }

  /** `listener` runs when the event loop has delivered a message. */
  onMessage(listener: () => void): void {
    this.#onMessage = listener;
    if (this.#waiting.length > 0) listener();
  }

  next(): ToActor | undefined {
    return this.#waiting.shift();
  }

  /** Takes the messages that have arrived, without a turn of the event loop. */
  poll(): void {
    this.direct.poll();
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: ToActor } | undefined;
      if (received === undefined) return;
      this.#accept(received.message);
    }
  }

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  #accept(message: ToActor): void {
    switch (message.type) {
      case "segment":
        return this.#segments.add(message.buffer);
      case "direct_port":
        // An upgrade's new thread may get what was meant for the former one.
        if (message.to !== this.direct.ownerId) return message.port.close();
        this.direct.add(message.peer, message.port);
        // The other thread may have used it already, and this thread's look at its channels is over.
        return this.direct.poll();
      case "callee_exited":
        // Replies that the callee posted before its exit settle their calls first.
        this.direct.poll();
        break;
      default:
        break;
    }
    this.#waiting.push(message);
  }
}

/**
 * The three ways to an actor: its mailbox, its system lane, main's control messages. The thread sleeps here until
 * something arrives.
 */
export class Inbox {
  readonly mailbox: RingReader;
  readonly system: RingReader;
  readonly control: ControlChannel;
  readonly #words: Int32Array;
  readonly #state: ConsumerState;
  #asleep = false;
  #announced = false;
  #offered = false;
  readonly #guardBell: Int32Array;
  readonly #awake: Int32Array;
  readonly #slept: Float64Array;

  /**
   * `guardBell` wakes main's guard, which sleeps while every actor does; `awake` counts the actors' threads that do
   * not sleep.
   */
  constructor(
    memory: SlotMemory,
    control: ControlChannel,
    producer: Producer,
    guardBell: Int32Array,
    awake: Int32Array,
  ) {
    this.#guardBell = guardBell;
    this.#awake = awake;
    this.#words = memory.words;
    this.#state = new ConsumerState(memory.words);
    this.#state.countAwake(awake);
    this.#slept = floatsAt(memory.words, SLEPT_MS, 1);
    this.control = control;
    const dropsOldest = memory.words[MAILBOX_LANE + IN_FLIGHT_OFFSET] !== 0;
    const payload = newPayload(PAYLOAD_BYTES);
    this.mailbox = dropsOldest
      ? new DroppingReader(memory, MAILBOX_LANE, payload, producer)
      : new RingReader(memory, MAILBOX_LANE, payload);
    this.system = new RingReader(memory, SYSTEM_LANE, newPayload(PAYLOAD_BYTES));
  }

  /** Main has posted a control message since the last look. */
  takeControlFlag(): boolean {
    return this.#state.takeControl();
  }

  /** Whether something has arrived. `withMailbox` is false while a handler is busy: then the mailbox does not count. */
  arrived(withMailbox: boolean): boolean {
    return (withMailbox && this.mailbox.pending) || this.system.pending || this.#state.hasControl;
  }

  /** Blocks the thread until something arrives or `timeoutMs` has passed. */
  sleep(withMailbox: boolean, timeoutMs: number): void {
    announce(this.#words, PARKED);
    if (!this.arrived(withMailbox)) this.asleep(() => sleep(this.#words, PARKED, timeoutMs));
    retract(this.#words, PARKED);
    if (this.arrived(withMailbox)) ring(this.#guardBell, 0);
  }

  /** Lets the event loop turn; `wake` runs when something arrives. False when something has already. */
  sleepAsync(withMailbox: boolean, wake: () => void): boolean {
    announce(this.#words, PARKED);
    if (this.arrived(withMailbox)) {
      retract(this.#words, PARKED);
      return false;
    }
    // One wait at a time: when another event comes first, the wait stays pending and serves the next sleep.
    this.#announced = true;
    if (!this.#asleep) {
      const waiting = sleepAsync(this.#words, PARKED);
      if (waiting === undefined) return false;
      this.#asleep = true;
      void waiting.then(() => {
        this.#asleep = false;
        wake();
      });
    }
    this.#state.countAsleep(this.#awake);
    return true;
  }

  /**
   * The thread rests, or is about to: the parcel of a message that comes next, with none before it, may come past main.
   */
  offer(): void {
    const { direct } = this.control;
    if (this.#offered || direct.size === 0) return;
    this.#offered = true;
    this.#state.offer(direct.ownerId);
  }

  withdrawOffer(): void {
    if (!this.#offered) return;
    this.#offered = false;
    if (this.#state.withdrawOffer()) this.control.direct.expectParcel();
  }

  /** Blocks in `sleep` without counting as awake. */
  asleep(sleep: () => void): void {
    this.#state.countAsleep(this.#awake);
    const since = performance.now();
    sleep();
    this.#slept[0] += performance.now() - since;
    this.#state.countAwake(this.#awake);
  }

  /** The thread is awake again: producers need not ring. */
  awake(): void {
    if (!this.#announced) return;
    this.#announced = false;
    if (!this.#state.isCountedAwake) this.#state.countAwake(this.#awake);
    retract(this.#words, PARKED);
    ring(this.#guardBell, 0);
  }
}
