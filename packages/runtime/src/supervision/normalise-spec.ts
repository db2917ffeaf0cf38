// Longer than other files, because the checks of all kinds of children are tables that share their fields.
import { availableParallelism } from "node:os";
import { ActorError, isActorError } from "@mini-otp/worker-host/protocol/errors";
import { MAX_MEMBERS, ROUTES } from "@mini-otp/worker-host/protocol/memory";
import {
  aFunction,
  aName,
  anId,
  anything,
  aThrows,
  BOUNDS,
  type Fields,
  field,
  flag,
  type Given,
  group,
  integer,
  isRecord,
  megabytes,
  numberFrom,
  oneOf,
  or,
  periodMs,
  required,
  texts,
  timerMs,
} from "@mini-otp/worker-host/protocol/options";
import { exposingModules } from "@mini-otp/worker-host/protocol/port";
import { copyValue } from "@mini-otp/worker-host/protocol/values";
import type { BackoffOptions } from "./backoff.js";
import type {
  ActorSpec,
  ChildSpec,
  DynamicSupervisorSpec,
  FullChildSpec,
  FullMemberSpec,
  FullSupervisorSpec,
  MailboxOptions,
  PoolSpec,
  SupervisorSpec,
  ThreadsOptions,
} from "./child-spec.js";
import { checkLeavesProcess, cloneData } from "./clone-data.js";
import { OF_OWN_THREAD, OF_THREADS } from "./light-options.js";
import { aModule, resolveModule } from "./module-url.js";
import type { AutoShutdown } from "./restart-strategy.js";
import { invalidSpec, readSpec, takeSpec } from "./spec-fields.js";

const variables = field(
  "an object of texts",
  (value) => isRecord(value) && Object.values(value).every((text) => text === undefined || typeof text === "string"),
  (env) => ({ ...env }),
);
const anEnv = or(variables, "inherit", "none");
/** Copied, so that a thread that starts later does not see later changes. */
const workerData = field("what structured cloning can copy", () => true, cloneData);
const capMb = megabytes(BOUNDS.capMb);

const SUPERVISED: Fields = {
  kind: anything,
  id: required(anId),
  restart: oneOf("permanent", "transient", "temporary"),
  shutdown: or(timerMs, "brutal_kill", "infinity"),
  significant: flag,
  backoff: group({
    minMs: timerMs,
    maxMs: timerMs,
    factor: numberFrom(1, 1_000),
    jitter: numberFrom(0, 1),
    resetAfterMs: timerMs,
  }),
};

const ACTOR: Fields = {
  ...SUPERVISED,
  name: aName,
  actor: required(aModule),
  args: anything,
  isolation: oneOf("thread", "process"),
  startTimeoutMs: periodMs,
  heapCapMb: capMb,
  offHeapCapMb: capMb,
  handlerTimeoutMs: or(periodMs, Infinity),
  callTimeoutMs: or(timerMs, Infinity),
  maxDeliveries: integer(BOUNDS.deliveries),
  throws: aThrows,
  mailbox: group({
    capacity: integer(BOUNDS.messages),
    capacityBytes: integer(BOUNDS.mailboxBytes),
    overflow: oneOf("block", "reject", "drop_newest", "drop_oldest"),
    blockTimeoutMs: timerMs,
    onRestart: oneOf("keep", "drop"),
  }),
  console: oneOf("inherit", "log"),
  env: anEnv,
  execArgv: texts,
  permissions: group({
    fsRead: texts,
    fsWrite: texts,
    net: flag,
    childProcess: flag,
    worker: flag,
    addons: flag,
    wasi: flag,
  }),
};

const aSize = integer([1, MAX_MEMBERS]);

/** The fields that a supervisor restarts its children by. */
const RESTARTS: Fields = { intensity: integer(BOUNDS.restarts), periodMs };

/** For the root, `startSystem` takes them. */
export const SUPERVISOR_FLAGS: Fields = {
  strategy: oneOf("one_for_one", "one_for_all", "rest_for_one"),
  ...RESTARTS,
  autoShutdown: oneOf("never", "any_significant", "all_significant"),
  children: field("a list of child specs", Array.isArray, (list) => [...list]),
};

const FIELDS = {
  actor: ACTOR,
  router: { ...ACTOR, ...RESTARTS, size: required(aSize), route: required(oneOf(...ROUTES)) },
  pool: {
    ...SUPERVISED,
    filename: required(aModule),
    isolation: oneOf("thread", "process"),
    minThreads: integer([0, BOUNDS.poolThreads[1]]),
    maxThreads: integer(BOUNDS.poolThreads),
    idleTimeoutMs: timerMs,
    maxQueue: integer(BOUNDS.queuedTasks),
    concurrentTasksPerWorker: integer(BOUNDS.tasksPerThread),
    taskTimeoutMs: or(periodMs, Infinity),
    recycle: group({ afterTasks: integer(BOUNDS.recycledTasks), afterMs: periodMs, overMb: capMb }),
    heapCapMb: capMb,
    offHeapCapMb: capMb,
    startTimeoutMs: periodMs,
    workerData,
    env: anEnv,
    execArgv: texts,
  },
  resource: {
    ...SUPERVISED,
    start: required(aFunction),
    stop: required(aFunction),
    startTimeoutMs: periodMs,
  },
  supervisor: { ...SUPERVISED, ...SUPERVISOR_FLAGS },
  dynamic_supervisor: {
    ...SUPERVISED,
    ...RESTARTS,
    maxChildren: or(integer(BOUNDS.children), Infinity),
    template: anything,
    threads: group({
      count: integer([1, 64]),
      heapCapMb: capMb,
      offHeapCapMb: capMb,
      place: oneOf("least_loaded", "hash", "round_robin"),
      queueBytes: integer([4_096, 2 ** 30]),
    }),
    perThread: field("a list of specs of light actors", Array.isArray, (list) => [...list]),
  },
} satisfies Record<string, Fields>;

const { id, actor, args, restart, startTimeoutMs, handlerTimeoutMs, throws, mailbox } = ACTOR;
const MEMBER: Fields = { id, actor, args, restart, startTimeoutMs, handlerTimeoutMs, throws, mailbox };

/** A template has the fields of an actor's spec, all of them optional. */
const TEMPLATE = group(
  Object.fromEntries(Object.entries(ACTOR).map(([name, { required: _, ...field }]) => [name, field])),
);

const WORKER_LIFETIME = { restart: "permanent", shutdown: 5_000, significant: false } as const;
const SUPERVISOR_LIFETIME = { ...WORKER_LIFETIME, shutdown: "infinity", intensity: 3, periodMs: 5_000 } as const;
const ACTOR_DEFAULTS = {
  ...WORKER_LIFETIME,
  startTimeoutMs: 10_000,
  heapCapMb: 64,
  offHeapCapMb: 64,
  handlerTimeoutMs: 30_000,
  maxDeliveries: 1,
  isolation: "thread",
  console: "inherit",
  env: "none",
};
const DEFAULTS = {
  actor: ACTOR_DEFAULTS,
  router: { ...ACTOR_DEFAULTS, intensity: 3, periodMs: 5_000 },
  pool: {
    ...WORKER_LIFETIME,
    isolation: "thread",
    startTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    maxQueue: 1_024,
    concurrentTasksPerWorker: 1,
    heapCapMb: 64,
    offHeapCapMb: 64,
    env: "none",
  },
  resource: { ...WORKER_LIFETIME, startTimeoutMs: 10_000 },
  supervisor: { ...SUPERVISOR_LIFETIME, strategy: "one_for_one", autoShutdown: "never" },
  dynamic_supervisor: { ...SUPERVISOR_LIFETIME, maxChildren: Infinity },
} as const;
const MAILBOX = {
  capacity: 1_024,
  capacityBytes: 2 ** 20,
  overflow: "block",
  blockTimeoutMs: 10_000,
  onRestart: "keep",
};

type Kind = keyof typeof FIELDS;

/**
 * Checks a spec that a user wrote, and makes a copy with every default filled in, down to the children of its children.
 * The copy is fixed: a relative path is resolved against the current working directory, and every start uses `args`,
 * `execArgv` and the variables of `env` as they are now.
 * @param parent path of the supervisor it is for
 * @throws ERR_INVALID_CHILD_SPEC with `id` (path), `field`, `value` and `allowed`; ERR_NOT_CLONEABLE for `args`;
 * ERR_ACTOR_MODULE for a text that cannot name a module
 */
export function normaliseSpec(spec: ChildSpec, parent: string, autoShutdown: AutoShutdown = "never"): FullChildSpec {
  const read = readSpec(spec, parent);
  const path = anId.take(read.id) === read.id ? `${parent}/${read.id}` : parent;
  return normaliseAt(path, read, autoShutdown);
}

/** The same for the root of a tree, whose path is its id. */
export function normaliseRoot(spec: SupervisorSpec): FullSupervisorSpec {
  return normaliseAt(spec.id, spec, "never") as FullSupervisorSpec;
}

function normaliseAt(path: string, spec: ChildSpec, autoShutdown: AutoShutdown): FullChildSpec {
  const kind = kindOf(path, spec);
  const taken = takeSpec(path, spec, FIELDS[kind]) as unknown as ChildSpec;
  checkSignificant(path, taken, autoShutdown);
  return {
    ...DEFAULTS[kind],
    ...taken,
    kind,
    backoff: fullBackoff(path, taken.backoff),
    ...fullParts(path, kind, taken),
  } as FullChildSpec;
}

/** Checks and copies a dynamic supervisor's template. Throws as `normaliseSpec`. */
export function takeTemplate(path: string, template: unknown): Partial<ChildSpec> {
  const { template: taken } = takeSpec(path, { template }, { template: TEMPLATE });
  return { ...(taken as object), ...modulesOf(path, taken as ChildSpec), ...argsOf(path, taken as ChildSpec) };
}

/**
 * Puts `spec` over `template`; `mailbox` and `backoff` are merged field by field. A spec of another kind than the
 * template's is left as it is.
 */
export function mergeTemplate(template: Partial<ChildSpec> | undefined, spec: ChildSpec): ChildSpec {
  if (template === undefined || (spec.kind ?? "actor") !== (template.kind ?? "actor")) return spec;
  const merged: Record<string, unknown> = { ...template, ...given(spec) };
  for (const part of ["mailbox", "backoff"] as const) {
    const [under, over] = [template, spec].map((s) => (s as Record<string, unknown>)[part]);
    if (isRecord(under) && isRecord(over)) merged[part] = { ...under, ...given(over) };
  }
  return merged as unknown as ChildSpec;
}

function kindOf(path: string, { kind = "actor" }: { kind?: unknown }): Kind {
  if (typeof kind === "string" && Object.hasOwn(FIELDS, kind)) return kind as Kind;
  throw invalidSpec(path, "kind", kind, Object.keys(FIELDS).join(", "));
}

/** Checks the number of members of a router. Throws ERR_INVALID_CHILD_SPEC. */
export function checkSize(path: string, size: number): void {
  takeSpec(path, { size }, { size: required(aSize) });
}

function checkSignificant(path: string, { significant, restart, kind }: ChildSpec, autoShutdown: AutoShutdown): void {
  if (!significant) return;
  if (kind === "router") throw invalidSpec(path, "significant", true, "false: a router never ends by itself");
  if (restart === undefined || restart === "permanent") {
    throw invalidSpec(path, "significant", true, 'false with restart "permanent", which never ends by itself');
  }
  if (autoShutdown === "never") {
    throw invalidSpec(path, "significant", true, 'false under a supervisor with autoShutdown "never"');
  }
}

function fullParts(path: string, kind: Kind, spec: ChildSpec): object {
  switch (kind) {
    case "actor":
      checkProcess(path, spec as ActorSpec);
      return { mailbox: fullMailbox(spec), ...argsOf(path, spec), ...modulesOf(path, spec) };
    case "router":
      checkProcess(path, spec as ActorSpec);
      return {
        mailbox: fullMailbox(spec),
        ...argsOf(path, spec),
        ...modulesOf(path, spec),
        restart: "permanent",
        backoff: fullBackoff(path),
        memberRestart: spec.restart ?? "permanent",
        memberBackoff: fullBackoff(path, spec.backoff),
      };
    case "pool":
      return { ...poolThreads(path, spec as PoolSpec), ...modulesOf(path, spec) };
    case "supervisor": {
      const { children = [], autoShutdown } = spec as { children?: ChildSpec[]; autoShutdown?: AutoShutdown };
      return { children: fullChildren(path, children, autoShutdown) };
    }
    case "dynamic_supervisor": {
      const { template, threads } = spec as { template?: unknown; threads?: ThreadsOptions };
      if (threads !== undefined) return partitionedParts(path, spec as DynamicSupervisorSpec);
      const { perThread } = spec as DynamicSupervisorSpec;
      if (perThread !== undefined) throw invalidSpec(path, "perThread", perThread, "left out without threads");
      return template === undefined ? {} : { template: takeTemplate(path, template) };
    }
    default:
      return {};
  }
}

const THREADS = {
  count: 1,
  heapCapMb: 256,
  offHeapCapMb: 128,
  place: "least_loaded",
  queueBytes: 32 * 2 ** 20,
} as const;

function partitionedParts(path: string, spec: DynamicSupervisorSpec): object {
  const { template, threads, perThread = [] } = spec;
  const seen = new Set<string>();
  return {
    threads: { ...THREADS, ...threads },
    template: template === undefined ? {} : memberTemplate(path, template),
    perThread: perThread.map((member, index) => {
      const at = `${path}/perThread[${index}]`;
      const given = readSpec(member as ChildSpec, at) as ActorSpec;
      if (given.restart !== undefined) {
        throw invalidSpec(at, "restart", given.restart, "nothing: what is in each partition is always started again");
      }
      const full = normaliseMember(path, undefined, given);
      if (seen.has(full.id)) throw invalidSpec(at, "id", full.id, "an id no other of perThread has");
      seen.add(full.id);
      return full;
    }),
  };
}

/** Checks and copies the template of light actors. Throws as `normaliseSpec`. */
function memberTemplate(path: string, template: unknown): Partial<ChildSpec> {
  const taken = takeTemplate(path, template);
  checkLight(path, taken, "template.");
  return taken;
}

function checkLight(path: string, spec: object, prefix: string): void {
  const given = spec as Record<string, unknown>;
  for (const field of OF_THREADS) {
    if (given[field] === undefined) continue;
    throw invalidSpec(path, prefix + field, given[field], "left out: it belongs to a thread, see threads");
  }
  for (const [field, why] of Object.entries(OF_OWN_THREAD)) {
    if (given[field] === undefined) continue;
    throw invalidSpec(path, prefix + field, given[field], `left out: a light actor has none, because ${why}`);
  }
  const { kind = "actor" } = given as { kind?: unknown };
  if (kind !== "actor") throw invalidSpec(path, `${prefix}kind`, kind, '"actor": only actors share threads');
}

/** Checks a light actor's spec over its template and fills in the defaults. Throws as `normaliseSpec`. */
export function normaliseMember(
  parent: string,
  template: Partial<ChildSpec> | undefined,
  spec: ChildSpec,
): FullMemberSpec {
  const path = anId.take(spec.id) === spec.id ? `${parent}/${spec.id}` : parent;
  const { kind, shutdown, callTimeoutMs, ...merged } = mergeTemplate(template, spec) as ActorSpec;
  checkLight(path, spec, "");
  const taken = takeSpec(path, merged, MEMBER) as unknown as ActorSpec;
  const { id, handlerTimeoutMs = 30_000, startTimeoutMs = 10_000, throws, restart = "temporary" } = taken;
  const args = "args" in spec ? (argsOf(path, taken).args as unknown) : taken.args;
  const { actor } = modulesOf(path, taken) as { actor: URL };
  const mailbox = fullMailbox(taken) as MailboxOptions;
  return { id, actor, args, restart, handlerTimeoutMs, startTimeoutMs, throws, mailbox };
}

function fullMailbox(spec: ChildSpec): object {
  const { mailbox } = spec as { mailbox?: object };
  const { capacityBytes, ...rest } = { ...MAILBOX, ...given(mailbox ?? {}) };
  return { ...rest, capacityBytes: Math.max(4_096, 2 ** Math.ceil(Math.log2(capacityBytes))) };
}

function argsOf(path: string, spec: ChildSpec): { args?: unknown } {
  const { args } = spec as { args?: unknown };
  return args === undefined ? {} : { args: copyArgs(path, args) };
}

/** Throws ERR_NOT_CLONEABLE with the path of a value that cannot be sent to an actor. `path`: of the child. */
export function copyArgs(path: string, args: unknown): unknown {
  try {
    return copyValue(args, "args");
  } catch (error) {
    if (!isActorError(error, "ERR_NOT_CLONEABLE")) throw error;
    throw new ActorError(error.code, `invalid child spec "${path}": ${error.message}`, { id: path, path: error.path });
  }
}

/** The URL of its module. Throws ERR_ACTOR_MODULE. */
function modulesOf(path: string, spec: ChildSpec): { actor?: URL; filename?: URL } {
  const { actor, filename } = spec as { actor?: URL | string; filename?: URL | string };
  try {
    return {
      ...(actor === undefined ? {} : { actor: resolveModule(actor) }),
      ...(filename === undefined ? {} : { filename: resolveModule(filename) }),
    };
  } catch (error) {
    if (!isActorError(error, "ERR_ACTOR_MODULE")) throw error;
    throw new ActorError(error.code, `${path}: ${error.message}`, { id: path, cause: error.cause });
  }
}

function poolThreads(path: string, spec: PoolSpec): object {
  const { minThreads = 1, concurrentTasksPerWorker = 1 } = spec;
  const { maxThreads = Math.max(minThreads, availableParallelism()) } = spec;
  if (minThreads > maxThreads) throw invalidSpec(path, "minThreads", minThreads, `maxThreads (${maxThreads}) or less`);
  checkWorkerData(path, spec);
  const { taskTimeoutMs = concurrentTasksPerWorker === 1 ? 30_000 : Infinity } = spec;
  return { minThreads, maxThreads, taskTimeoutMs };
}

/** What an actor's process cannot have. */
function checkProcess(path: string, { isolation, args, actor, permissions }: ActorSpec): void {
  if (isolation !== "process") return;
  // From Node 25 on a pipe counts as the network for what may not use it, and the process would not start.
  if (permissions !== undefined && permissions.net !== true && process.allowedNodeEnvironmentFlags.has("--allow-net")) {
    const allowed =
      'permissions with net: true, with isolation "process" on this Node: the process is reached by pipes';
    throw invalidSpec(path, "permissions", permissions, allowed);
  }
  if (exposingModules(String(actor)) !== undefined)
    throw invalidSpec(path, "isolation", isolation, '"thread" for a module that comlink exposes');
  try {
    checkLeavesProcess(args);
  } catch (error) {
    const allowed = `what another process can have, with isolation "process": ${(error as Error).message}`;
    throw invalidSpec(path, "args", args, allowed);
  }
}

/** A process gets its `workerData` by a channel that copies less than structured cloning does. */
function checkWorkerData(path: string, { isolation, workerData }: PoolSpec): void {
  if (isolation !== "process") return;
  try {
    checkLeavesProcess(workerData);
  } catch (error) {
    const allowed = `what another process can have, with isolation "process": ${(error as Error).message}`;
    throw invalidSpec(path, "workerData", workerData, allowed);
  }
}

function fullChildren(path: string, children: readonly ChildSpec[], autoShutdown?: AutoShutdown): FullChildSpec[] {
  const seen = new Set<string>();
  return children.map((spec) => {
    const child = normaliseSpec(spec, path, autoShutdown);
    if (seen.has(child.id)) throw invalidSpec(`${path}/${child.id}`, "id", child.id, "an id no sibling has");
    seen.add(child.id);
    return child;
  });
}

/** No delay unless the spec asks for one, as in OTP. */
function fullBackoff(path: string, backoff: Given<BackoffOptions> = {}): BackoffOptions {
  const { minMs = 0, maxMs = Math.max(minMs, 10_000), factor = 2, jitter = 0 } = backoff;
  if (maxMs < minMs) throw invalidSpec(path, "backoff.maxMs", maxMs, `minMs (${minMs}) or more`);
  const { resetAfterMs = (minMs + maxMs) / 2 } = backoff;
  return { minMs, maxMs, factor, jitter, resetAfterMs };
}

/** Leaves out fields whose value is undefined, because they would hide a default. */
function given<T extends object>(spec: T): T {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as T;
}
