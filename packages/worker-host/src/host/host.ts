import { type ActorDefinition, isIgnore } from "../actor/define-actor.js";
import { createActorLog } from "../log/actor-log.js";
import { captureConsole } from "../log/captured-console.js";
import { LogPort } from "../log/log-port.js";
import type { ActorLoop } from "../loop/actor-loop.js";
import { ControlChannel } from "../loop/inbox.js";
import { Microtasks } from "../loop/microtasks.js";
import type { Snapshot } from "../loop/snapshot.js";
import type { ImportModule } from "../module/load-module.js";
import { writeLastWords } from "../module/prelude.js";
import { PartitionThread } from "../partition/partition-thread.js";
import type { ActorProcess } from "../process/actor-process.js";
import { loadTelemetry } from "../protocol/calls/telemetry.js";
import { NameTable } from "../protocol/memory/name-table.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import { Segments } from "../protocol/memory/segments.js";
import type { BootData, ProcessOptions } from "../protocol/port/boot.js";
import type { ToActor } from "../protocol/port/messages.js";
import { isPartitionUrl } from "../protocol/port/partition.js";
import { noSender } from "../protocol/refs/no-sender.js";
import { Codec } from "../protocol/values/codec.js";
import { payloadOf } from "../protocol/values/encoded.js";
import { loadActor } from "./load-actor.js";
import { osThreadId } from "./os-thread.js";
import { rehearse } from "./rehearsal.js";
import { type LoadedThread, Seat } from "./seat.js";
import { ThreadExit } from "./thread-exit.js";

/** An incarnation whose `init` or `codeChange` is done. */
interface Incarnation {
  readonly loop: ActorLoop;
  readonly state: unknown;
}

/** Runs one actor in this thread: loads its module, waits for what makes it an incarnation, then runs the loop. */
export async function runActorThread(boot: BootData, importModule: ImportModule): Promise<void> {
  const exit = new ThreadExit(boot.port);
  const thread = await load(boot, exit, importModule);
  if (thread === undefined) return;
  const incarnation = await becomeActor(thread);
  if (incarnation === undefined) return;
  if (isIgnore(incarnation.state)) {
    exit.post({ type: "ignored" });
    exit.leave();
    return;
  }
  incarnation.loop.takeMessages(incarnation.state);
  exit.post({ type: "started" });
}

/**
 * Loads the actor's module, and has V8 compile the runtime's code. Undefined: the module failed, and main has been
 * told.
 */
async function load(boot: BootData, exit: ThreadExit, importModule: ImportModule): Promise<LoadedThread | undefined> {
  const { port } = boot;
  const osThread = osThreadId();
  const segments = new Segments();
  for (const buffer of boot.segments) segments.add(buffer);
  const producer: Producer = { ownerId: boot.ownerId, lockPatienceMs: Infinity, epochMs: boot.epochMs };
  const names = new NameTable(boot.names, producer);
  const control = new ControlChannel(port, segments, boot.ownerId);
  const logPort = new LogPort(port, boot.logLevel, new Codec(noSender));
  const log = createActorLog(logPort);
  if (boot.console === "log") captureConsole(log);
  let definition: ActorDefinition;
  const process = boot.process === undefined ? undefined : await startProcess(boot, boot.process, exit, logPort);
  const partition = isPartitionUrl(boot.moduleUrls[0])
    ? new PartitionThread((modules) => loadActor(modules, importModule), names)
    : undefined;
  if (partition !== undefined) writeLastWords(partition.lastWords);
  try {
    definition =
      partition?.definition ??
      (await (process === undefined ? loadActor(boot.moduleUrls, importModule) : process.load()));
    names.enter(Object.keys(definition.handlers));
  } catch (error) {
    exit.post({ type: "module_failed", error: exit.encode(error) });
    exit.leave();
    return undefined;
  }
  // The module may have registered an SDK.
  const telemetry = await loadTelemetry(importModule);
  exit.post({ type: "loaded" });
  const microtasks = Microtasks.install();
  control.poll();
  // A thread that already has an actor to run has no time for the rehearsal.
  if (!control.pending) await rehearse(microtasks);
  return {
    boot,
    osThread,
    definition,
    partition,
    process,
    segments,
    producer,
    names,
    control,
    exit,
    log,
    logPort,
    telemetry,
    microtasks,
  };
}

/**
 * Waits until main gives this thread an actor: a new one, or one that another thread hands over. Undefined: `init` or
 * `codeChange` failed, and main has been told.
 */
async function becomeActor(thread: LoadedThread): Promise<Incarnation | undefined> {
  const { control, exit } = thread;
  const first = await nextOf(control, "init", "change_code");
  const seat = new Seat(thread, first.type === "init" ? first : first.init);
  try {
    return first.type === "init" ? await begin(thread, seat) : await takeOver(thread, seat, first);
  } catch (error) {
    exit.post({ type: "init_failed", error: exit.encode(error) });
    exit.leave();
    return undefined;
  }
}

async function begin({ definition }: LoadedThread, seat: Seat): Promise<Incarnation> {
  const loop = seat.take();
  loop.start();
  return { loop, state: await definition.init?.(loop.context.args, loop.context) };
}

/**
 * Converts the state first, while the former thread still has the slot; takes the slot when that thread has left it.
 */
async function takeOver(
  { definition, control, exit, process }: LoadedThread,
  seat: Seat,
  change: Extract<ToActor, { type: "change_code" }>,
): Promise<Incarnation> {
  process?.use(seat.outbox.codec);
  const snapshot = seat.outbox.codec.decodeValue(payloadOf(change.snapshot)) as Snapshot;
  const { version: fromVersion = change.fromVersion } = snapshot;
  let { state } = snapshot;
  if (definition.codeChange !== undefined) state = await definition.codeChange(state, fromVersion);
  exit.post({ type: "code_changed", fromVersion, version: definition.version });
  const { address } = await nextOf(control, "take_over");
  const loop = seat.take(address);
  loop.restore(snapshot);
  loop.start();
  return { loop, state };
}

/** Its code is loaded on demand, because few actors have a process. */
async function startProcess(
  boot: BootData,
  options: ProcessOptions,
  exit: ThreadExit,
  logPort: LogPort,
): Promise<ActorProcess> {
  const { ActorProcess } = await import("../process/actor-process.js");
  const process: ActorProcess = new ActorProcess(options, boot, {
    post: (message, transfer) => exit.post(message, transfer),
    log: (line) => logPort.forward(line),
    announce: (reason) => exit.announce(reason),
    ended: (reason) => exit.exit(reason),
  });
  exit.first = () => process.end();
  return process;
}

/** The next control message of one of these types. Main sends no others before the thread is an actor. */
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
