import type { MessagePort } from "node:worker_threads";
import type { ActorLog } from "../actor/context.js";
import type { ActorDefinition } from "../actor/define-actor.js";
import type { LogPort } from "../log/log-port.js";
import { ActorLoop } from "../loop/actor-loop.js";
import { ActorOutbox, type OutboxParts } from "../loop/actor-outbox.js";
import type { DirectPorts } from "../loop/direct-ports.js";
import { IdleStrategy } from "../loop/idle-strategy.js";
import { type ControlChannel, Inbox } from "../loop/inbox.js";
import type { LoopHost } from "../loop/loop-host.js";
import { Meter } from "../loop/meter.js";
import type { Microtasks } from "../loop/microtasks.js";
import { sendHeapSnapshot } from "../module/heap-snapshot.js";
import type { PartitionThread } from "../partition/partition-thread.js";
import type { ActorProcess } from "../process/actor-process.js";
import type { CallerNotices } from "../protocol/calls/replies.js";
import type { Telemetry } from "../protocol/calls/telemetry.js";
import { ActorError } from "../protocol/errors/errors.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import type { Segments, SlotMemory } from "../protocol/memory/segments.js";
import type { BootData, InitData } from "../protocol/port/boot.js";
import type { ToMain } from "../protocol/port/messages.js";
import { payloadOf } from "../protocol/values/encoded.js";
import type { ThreadExit } from "./thread-exit.js";

/** The parts of this thread before it has an actor. */
export interface LoadedThread {
  readonly boot: BootData;
  /** The number of the thread in the operating system; 0 where it is not known. */
  readonly osThread: number;
  readonly definition: ActorDefinition;
  /** Of a thread whose actor is a partition. */
  readonly partition: PartitionThread | undefined;
  /** Where the actor's module runs, if it has a process of its own. */
  readonly process: ActorProcess | undefined;
  readonly segments: Segments;
  readonly producer: Producer;
  readonly names: NameTable;
  readonly control: ControlChannel;
  readonly exit: ThreadExit;
  readonly log: ActorLog;
  readonly logPort: LogPort;
  readonly telemetry: Telemetry | undefined;
  readonly microtasks: Microtasks;
}

/** What consumes a slot. */
interface Holder {
  readonly inbox: Inbox;
  readonly loop: ActorLoop;
}

/** A class, because V8 keeps an object literal with a getter as a dictionary, and the outbox reads from it often. */
class SeatParts implements OutboxParts {
  readonly port: MessagePort;
  readonly idle: IdleStrategy;
  readonly takeControl: () => void;
  readonly notices: CallerNotices;
  readonly mayConnect: () => void;
  readonly #holder: () => Holder;

  /** `holder` throws while this thread is not an actor yet. */
  constructor(port: MessagePort, idle: IdleStrategy, holder: () => Holder) {
    this.port = port;
    this.idle = idle;
    this.takeControl = () => holder().loop.takeControl();
    this.notices = {
      cancelled: (callerUid, correlation) => holder().loop.cancelled(callerUid, correlation),
      granted: (readerUid, correlation, items, bytes) => holder().loop.granted(readerUid, correlation, items, bytes),
    };
    this.mayConnect = () => void holder();
    this.#holder = holder;
  }

  get inbox(): Inbox {
    return this.#holder().inbox;
  }
}

/**
 * An actor's place in shared memory, and the outbox with its address. Until `take`, the thread consumes nothing there.
 */
export class Seat {
  readonly outbox: ActorOutbox;
  readonly #thread: LoadedThread;
  readonly #init: InitData;
  readonly #self: { address: number; readonly uid: number; memory: SlotMemory };
  readonly #idle: IdleStrategy;
  readonly #awake: Int32Array;
  #taken: Holder | undefined;

  constructor(thread: LoadedThread, init: InitData) {
    const { boot, partition, segments, names, producer, exit, telemetry } = thread;
    this.#thread = thread;
    this.#init = init;
    this.#awake = new Int32Array(boot.awake);
    this.#idle = new IdleStrategy(this.#awake, boot.cores);
    this.#self = { address: init.address, uid: init.uid, memory: segments.at(init.address) };
    const parts = new SeatParts(boot.port, this.#idle, () => this.#holder);
    this.outbox =
      partition?.outbox(this.#self, segments, names, producer, parts) ??
      new ActorOutbox(this.#self, segments, names, producer, parts);
    this.outbox.telemetry = telemetry;
    exit.use(this.outbox.codec);
  }

  /** From now on this thread consumes the slot, which a growing mailbox may have moved to `address` meanwhile. */
  take(address = this.#init.address): ActorLoop {
    const { boot, osThread, definition, partition, segments, producer, control, exit, log, logPort, microtasks } =
      this.#thread;
    const { process } = this.#thread;
    const { outbox } = this;
    const memory = segments.at(address);
    const { words } = memory;
    this.#self.address = address;
    this.#self.memory = memory;
    exit.words = words;
    new ConsumerState(words).consumedBy(producer.ownerId, osThread);
    logPort.use(outbox.codec, words);
    const inbox = new Inbox(memory, control, producer, new Int32Array(boot.guardBell), this.#awake);
    exit.giveBack = () => {
      partition?.lastWords(true);
      inbox.withdrawOffer();
      returnParcels(control.direct, this.#init.uid, boot.port);
    };
    const args = outbox.codec.decodeValue(payloadOf(this.#init.args));
    const meter = new Meter(words, boot.epochMs);
    const host: LoopHost = {
      log,
      exit: (reason) => exit.exit(reason),
      leave: () => exit.leave(),
      unhandled: (method, detail, id) =>
        exit.post({ type: "unhandled", method, detail, ...(id === undefined ? {} : { id }) }),
      ...(process?.hosting ?? { heapSnapshot: (request: number) => sendHeapSnapshot(boot.port, request) }),
    };
    const hosting = partition?.hosting(host, microtasks) ?? host;
    const loop = new ActorLoop(definition, this.#init, args, inbox, outbox, this.#idle, microtasks, meter, hosting);
    this.#taken = { inbox, loop };
    exit.flush = () => loop.flushStreams();
    process?.become(this.#init, loop.context, outbox);
    return loop;
  }

  get #holder(): Holder {
    if (this.#taken !== undefined) return this.#taken;
    const { id } = this.#init;
    throw new ActorError("ERR_WRONG_THREAD", `id=${id}: codeChange cannot send messages`, { id });
  }
}

/** To main, which keeps them as it keeps the parcels that go by way of it. */
function returnParcels(direct: DirectPorts, uid: number, port: MessagePort): void {
  for (const parcel of direct.takeUnclaimed()) {
    const message: ToMain = { type: "parcel", uid, parcel };
    try {
      port.postMessage(message, [parcel.content.bytes.buffer as ArrayBuffer, ...parcel.transferred]);
    } catch {
      // The other end of a port in it has been closed: main answers a claim of it that it is lost.
    }
  }
}
