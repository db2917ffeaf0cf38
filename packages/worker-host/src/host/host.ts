import type { MessagePort } from "node:worker_threads";
import { type ActorDefinition, isActorDefinition, isIgnore } from "../actor/define-actor.js";
import { comlinkActor } from "../comlink/comlink-actor.js";
import { createActorLog } from "../log/actor-log.js";
import { captureConsole } from "../log/captured-console.js";
import { LogPort } from "../log/log-port.js";
import { ActorLoop } from "../loop/actor-loop.js";
import { ActorOutbox } from "../loop/actor-outbox.js";
import { IdleStrategy } from "../loop/idle-strategy.js";
import { ControlChannel, Inbox } from "../loop/inbox.js";
import { Meter } from "../loop/meter.js";
import { Microtasks } from "../loop/microtasks.js";
import type { Snapshot } from "../loop/snapshot.js";
import { sendHeapSnapshot } from "../module/heap-snapshot.js";
import { type ImportModule, loadFirst } from "../module/load-module.js";
import { loadTelemetry } from "../protocol/calls/telemetry.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { NameTable } from "../protocol/memory/name-table.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import { Segments } from "../protocol/memory/segments.js";
import { type BootData, exposingModules } from "../protocol/port/boot.js";
import type { ToActor, ToMain } from "../protocol/port/messages.js";
import type { Connection, Sender } from "../protocol/refs/actor-ref.js";
import { Codec } from "../protocol/values/codec.js";
import { encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import { osThreadId, ownCpuMs } from "./os-thread.js";
import { rehearse } from "./rehearsal.js";

/** Encodes what the thread has to say before it is an actor; references have no one to send through yet. */
const noSender = { connect: (): Connection => ({ id: "" }) } as unknown as Sender;

/** Runs one actor in this thread: loads its module, waits for what makes it an incarnation, then runs the loop. */
export async function runActorThread(boot: BootData, importModule: ImportModule): Promise<void> {
  const { port } = boot;
  const osThread = osThreadId();
  const segments = new Segments();
  for (const buffer of boot.segments) segments.add(buffer);
  const producer: Producer = { ownerId: boot.ownerId, lockPatienceMs: Infinity, epochMs: boot.epochMs };
  const names = new NameTable(boot.names, producer);
  const control = new ControlChannel(port, segments);
  const thread = new ThreadExit(port);
  const logPort = new LogPort(port, boot.logLevel, new Codec(noSender));
  const log = createActorLog(logPort);
  if (boot.console === "log") captureConsole(log);

  let definition: ActorDefinition;
  try {
    definition = await loadActor(boot.moduleUrls, importModule);
    names.enter(Object.keys(definition.handlers));
  } catch (error) {
    thread.post({ type: "module_failed", error: thread.encode(error) });
    thread.leave();
    return;
  }
  // The module may have registered an SDK.
  const telemetry = await loadTelemetry(importModule);
  thread.post({ type: "loaded" });
  const microtasks = Microtasks.install();
  // What is already an actor has no time for it.
  control.poll();
  if (!control.pending) await rehearse(microtasks);
  const first = await nextOf(control, "init", "change_code");
  const init = first.type === "init" ? first : first.init;
  const self = { address: init.address, uid: init.uid, memory: segments.at(init.address) };
  const awake = new Int32Array(boot.awake);
  const idle = new IdleStrategy(awake, boot.cores);
  let inbox: Inbox | undefined;
  let loop: ActorLoop;
  const outbox = new ActorOutbox(self, segments, names, producer, {
    get inbox() {
      return inbox as Inbox;
    },
    port,
    idle,
    takeControl: () => loop.takeControl(),
    cancelled: (callerUid, correlation) => loop.cancelled(callerUid, correlation),
    mayConnect() {
      if (inbox !== undefined) return;
      throw new ActorError("ERR_WRONG_THREAD", `id=${init.id}: codeChange cannot send messages`, { id: init.id });
    },
  });
  outbox.telemetry = telemetry;
  thread.use(outbox.codec);
  /** From now on this thread consumes the actor's slot. */
  const createLoop = (): ActorLoop => {
    const { words } = self.memory;
    thread.words = words;
    new ConsumerState(words).consumedBy(osThread);
    logPort.use(outbox.codec, words);
    inbox = new Inbox(self.memory, control, producer, new Int32Array(boot.guardBell), awake);
    const args = outbox.codec.decodeValue(payloadOf(init.args));
    const meter = new Meter(words, boot.epochMs);
    return new ActorLoop(definition, init, args, inbox, outbox, idle, microtasks, meter, {
      log,
      exit: (reason) => thread.exit(reason),
      leave: () => thread.leave(),
      heapSnapshot: (request) => sendHeapSnapshot(port, request),
      unhandled: (method, detail) => thread.post({ type: "unhandled", method, detail }),
    });
  };
  let state: unknown;
  try {
    if (first.type === "init") {
      loop = createLoop();
      loop.start();
      state = await definition.init?.(loop.context.args, loop.context);
    } else {
      const snapshot = outbox.codec.decodeValue(payloadOf(first.snapshot)) as Snapshot;
      const { version: fromVersion = first.fromVersion } = snapshot;
      state = snapshot.state;
      if (definition.codeChange !== undefined) state = await definition.codeChange(state, fromVersion);
      thread.post({ type: "code_changed", fromVersion, version: definition.version });
      self.address = (await nextOf(control, "take_over")).address;
      self.memory = segments.at(self.address);
      loop = createLoop();
      loop.restore(snapshot);
      loop.start();
    }
  } catch (error) {
    thread.post({ type: "init_failed", error: thread.encode(error) });
    thread.leave();
    return;
  }
  if (isIgnore(state)) {
    thread.post({ type: "ignored" });
    thread.leave();
    return;
  }
  loop.takeMessages(state);
  thread.post({ type: "started" });
}

/** The ways out of this thread: each reports its reason first, the first report counts. */
class ThreadExit {
  words: Int32Array | undefined;
  readonly #port: MessagePort;
  readonly #exit = process.exit.bind(process);
  #codec = new Codec(noSender);
  #reported = false;

  constructor(port: MessagePort) {
    this.#port = port;
    process.exit = ((code?: number) => {
      this.#report({ kind: "exit_called", code: Number(code ?? process.exitCode ?? 0) });
      return this.#exit(code);
    }) as typeof process.exit;
    process.on("uncaughtException", (error: unknown) => this.exit({ kind: "error", error }));
  }

  use(codec: Codec): void {
    this.#codec = codec;
  }

  encode(value: unknown): ReturnType<typeof encodeForeign> {
    return encodeForeign(this.#codec, value);
  }

  post(message: ToMain): void {
    this.#port.postMessage(message);
  }

  exit(reason: ExitReason): void {
    this.#report(reason);
    this.#exit(0);
  }

  /** Ends the thread; why has been said. */
  leave(): void {
    this.#reported = true;
    this.#countCpu();
    this.#exit(0);
  }

  /** Main cannot ask any more when it hears of the exit. */
  #countCpu(): void {
    if (this.words !== undefined) new ConsumerState(this.words).leaving(ownCpuMs());
  }

  #report(reason: ExitReason): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#countCpu();
    this.post({ type: "exiting", reason: this.encode(reason) });
  }
}

async function loadActor(urls: readonly string[], importModule: ImportModule): Promise<ActorDefinition> {
  const exposing = exposingModules(urls[0]);
  if (exposing !== undefined) return comlinkActor(exposing, importModule);
  const { url, exports } = await loadFirst(urls, importModule);
  // What compilers make of `export default` in a CommonJS module is a default within a default.
  const nested = (exports.default as { default?: unknown } | null | undefined)?.default;
  for (const found of [exports.default, nested]) if (isActorDefinition(found)) return found;
  throw new ActorError(
    "ERR_ACTOR_MODULE",
    `${url} has no actor as its default export (export default defineActor({ … }))`,
  );
}

/** The next message of main's, which is one of these: nothing else is said before the thread is an actor. */
function nextOf<T extends ToActor["type"]>(
  control: ControlChannel,
  ...types: readonly T[]
): Promise<Extract<ToActor, { type: T }>> {
  return new Promise((resolve) => {
    control.poll();
    control.onMessage(() => {
      for (let message = control.next(); message !== undefined; message = control.next()) {
        if (!types.includes(message.type as T)) continue;
        control.onMessage(() => {});
        resolve(message as Extract<ToActor, { type: T }>);
        return;
      }
    });
  });
}
