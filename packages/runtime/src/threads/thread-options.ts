import type { Guard } from "../guard/guard.js";
import { HAS_HEAP_STATISTICS } from "../guard/probe.js";
import type { Slots } from "../mailbox/slots.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { ActorLogs } from "../reporting/actor-logs.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import { moduleCandidates } from "./actor-module.js";
import { type ThreadOptions, threadEnv } from "./actor-thread.js";
import { modulesWithin } from "./comlink-actor.js";
import { permissionFlags } from "./permissions.js";
import { processOptions } from "./process-options.js";
import { actorProcessFile } from "./thread-code.js";

/** The parts of its system that a thread gets. */
export interface ThreadResources {
  readonly slots: Slots;
  readonly outbox: MainOutbox;
  readonly epochMs: number;
  /** One word: the number of actors' threads that do not sleep. */
  readonly awake: Int32Array;
  readonly guard: Guard;
  /** V8's limit is this far above an actor's heap cap. */
  readonly headroomMb: number;
  /** Takes the actors' log lines. */
  readonly logs: ActorLogs;
  nextOwnerId(): number;
}

/** Small enough that V8 collects by itself before much of the heap is garbage. */
const UNCOLLECTED_HEADROOM_MB = 256;

/** The options of a thread that will run `module` as the actor at path `id`. */
export function threadOptions(
  host: ThreadResources,
  id: string,
  spec: FullActorSpec,
  module: URL | string,
): ThreadOptions {
  const moduleUrls = moduleCandidates(module);
  const isProcess = spec.isolation === "process";
  // The watcher of a process is a thread.
  const permissions = spec.permissions && isProcess ? { ...spec.permissions, worker: true } : spec.permissions;
  const permitted = permissions === undefined ? [] : permissionFlags(permissions, moduleUrls.flatMap(modulesWithin));
  const execArgv = [...permitted, ...(spec.execArgv ?? [])];
  return {
    name: id,
    heapCapMb: spec.heapCapMb,
    headroomMb: headroomMb(host, spec),
    env: threadEnv(isProcess ? "none" : spec.env),
    execArgv: isProcess ? [] : execArgv,
    boot: {
      segments: host.slots.segments.buffers,
      names: host.outbox.names.buffer,
      epochMs: host.epochMs,
      ownerId: host.nextOwnerId(),
      guardBell: host.guard.bell,
      awake: host.awake.buffer as SharedArrayBuffer,
      logLevel: host.logs.level,
      console: spec.console,
      offHeapCapMb: spec.offHeapCapMb,
      process: isProcess ? processOptions(actorProcessFile(), spec, execArgv) : undefined,
      moduleUrls,
    },
  };
}

/** A thread with a permission model has no inspector: the guard cannot collect its garbage, nor on Node 20 probe it. */
function headroomMb(host: ThreadResources, { permissions, isolation }: FullActorSpec): number {
  if (permissions === undefined || isolation === "process") return host.headroomMb;
  return HAS_HEAP_STATISTICS ? Math.min(host.headroomMb, UNCOLLECTED_HEADROOM_MB) : 0;
}
