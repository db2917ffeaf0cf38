import { availableParallelism } from "node:os";
import { ActorError, copyValue, isActorError, MAX_MEMBERS, MAX_TIMER_MS, ROUTES } from "@mini-otp/worker-host/protocol";
import type { BackoffOptions } from "./backoff.js";
import type { ChildSpec, FullChildSpec, FullSupervisorSpec, PoolSpec, SupervisorSpec } from "./child-spec.js";
import type { AutoShutdown } from "./restart-strategy.js";
import {
  aFunction,
  aModule,
  anything,
  checkFields,
  type Fields,
  field,
  flag,
  group,
  integer,
  invalidSpec,
  isRecord,
  milliseconds,
  numberFrom,
  oneOf,
  positiveMb,
  required,
  text,
  texts,
} from "./spec-fields.js";

const anId = field(
  'a text that is not empty and has no "/"',
  (value) => typeof value === "string" && /^[^/]+$/.test(value),
);
const anEnv = field(
  "an object of texts",
  (value) => isRecord(value) && texts.check(Object.values(value).filter((v) => v !== undefined)) === null,
);
const orInfinity = field(
  `milliseconds, from 1 to ${MAX_TIMER_MS}, or Infinity`,
  (value) => value === Infinity || milliseconds(1).check(value) === null,
);
const aShutdown = field(
  `milliseconds, from 0 to ${MAX_TIMER_MS}, "brutal_kill", "infinity"`,
  (value) => value === "brutal_kill" || value === "infinity" || milliseconds(0).check(value) === null,
);

const SUPERVISED: Fields = {
  kind: anything,
  id: required(anId),
  restart: oneOf("permanent", "transient", "temporary"),
  shutdown: aShutdown,
  significant: flag,
  backoff: group({
    minMs: milliseconds(0),
    maxMs: milliseconds(0),
    factor: numberFrom(1, 1_000),
    jitter: numberFrom(0, 1),
    resetAfterMs: milliseconds(0),
  }),
};

const ACTOR: Fields = {
  ...SUPERVISED,
  name: text,
  actor: required(aModule),
  args: anything,
  startTimeoutMs: milliseconds(1),
  heapCapMb: positiveMb,
  offHeapCapMb: positiveMb,
  handlerTimeoutMs: orInfinity,
  maxDeliveries: integer(1),
  mailbox: group({
    capacity: integer(1, 2 ** 30),
    capacityBytes: integer(1, 2 ** 30),
    overflow: oneOf("block", "reject", "drop_newest", "drop_oldest"),
    blockTimeoutMs: milliseconds(0),
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

const aSize = integer(1, MAX_MEMBERS);

const SUPERVISOR: Fields = { ...SUPERVISED, intensity: integer(0), periodMs: milliseconds(1) };

const FIELDS = {
  actor: ACTOR,
  router: {
    ...ACTOR,
    intensity: integer(0),
    periodMs: milliseconds(1),
    size: required(aSize),
    route: required(oneOf(...ROUTES)),
  },
  pool: {
    ...SUPERVISED,
    filename: required(aModule),
    minThreads: integer(0),
    maxThreads: integer(1),
    idleTimeoutMs: milliseconds(0),
    maxQueue: integer(0),
    concurrentTasksPerWorker: integer(1),
    taskTimeoutMs: orInfinity,
    heapCapMb: positiveMb,
    offHeapCapMb: positiveMb,
    startTimeoutMs: milliseconds(1),
    workerData: anything,
    env: anEnv,
    execArgv: texts,
  },
  resource: {
    ...SUPERVISED,
    start: required(aFunction),
    stop: required(aFunction),
    startTimeoutMs: milliseconds(1),
  },
  supervisor: {
    ...SUPERVISOR,
    strategy: oneOf("one_for_one", "one_for_all", "rest_for_one"),
    autoShutdown: oneOf("never", "any_significant", "all_significant"),
    children: field("a list of child specs", Array.isArray),
  },
  dynamic_supervisor: { ...SUPERVISOR, maxChildren: integer(0), template: anything },
} satisfies Record<string, Fields>;

const WORKER_LIFETIME = { restart: "permanent", shutdown: 5_000, significant: false } as const;
const SUPERVISOR_LIFETIME = { ...WORKER_LIFETIME, shutdown: "infinity", intensity: 3, periodMs: 5_000 } as const;
const ACTOR_DEFAULTS = {
  ...WORKER_LIFETIME,
  startTimeoutMs: 10_000,
  heapCapMb: 64,
  offHeapCapMb: 64,
  handlerTimeoutMs: 30_000,
  maxDeliveries: 1,
  console: "inherit",
};
const DEFAULTS = {
  actor: ACTOR_DEFAULTS,
  router: { ...ACTOR_DEFAULTS, intensity: 3, periodMs: 5_000 },
  pool: {
    ...WORKER_LIFETIME,
    startTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    maxQueue: 1_024,
    concurrentTasksPerWorker: 1,
    heapCapMb: 64,
    offHeapCapMb: 64,
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
 * Checks a spec as a user wrote it, and fills in every default, down to the children of its children.
 * @param parent path of the supervisor it is for
 * @throws ERR_INVALID_CHILD_SPEC with `id` (path), `field`, `value` and `allowed`; ERR_NOT_CLONEABLE for `args`
 */
export function normaliseSpec(spec: ChildSpec, parent: string, autoShutdown: AutoShutdown = "never"): FullChildSpec {
  if (!isRecord(spec)) throw invalidSpec(parent, "", spec, "an object");
  const path = anId.check(spec.id) === null ? `${parent}/${spec.id}` : parent;
  return normaliseAt(path, spec, autoShutdown);
}

/** The same for the root of a tree, whose path is its id. */
export function normaliseRoot(spec: SupervisorSpec): FullSupervisorSpec {
  return normaliseAt(spec.id, spec, "never") as FullSupervisorSpec;
}

function normaliseAt(path: string, spec: ChildSpec, autoShutdown: AutoShutdown): FullChildSpec {
  const kind = kindOf(path, spec);
  checkFields(path, spec, FIELDS[kind]);
  checkSignificant(path, spec, autoShutdown);
  return {
    ...DEFAULTS[kind],
    ...given(spec),
    kind,
    backoff: fullBackoff(path, spec.backoff),
    ...fullParts(path, kind, spec),
  } as FullChildSpec;
}

/** Checks what a dynamic supervisor's template says. Throws ERR_INVALID_CHILD_SPEC. */
export function checkTemplate(path: string, template: unknown): void {
  const optional = Object.entries(ACTOR).map(([name, { required: _, ...field }]) => [name, field]);
  checkFields(path, { template }, { template: group(Object.fromEntries(optional)) });
}

/** `spec` over `template`; of `mailbox` and `backoff`, field by field. Specs of another kind stand alone. */
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

/** Checks how many members a router is to have. Throws ERR_INVALID_CHILD_SPEC. */
export function checkSize(path: string, size: number): void {
  checkFields(path, { size }, { size: required(aSize) });
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
      return { mailbox: fullMailbox(spec), ...argsOf(path, spec) };
    case "router":
      return {
        mailbox: fullMailbox(spec),
        ...argsOf(path, spec),
        restart: "permanent",
        backoff: fullBackoff(path),
        memberRestart: spec.restart ?? "permanent",
        memberBackoff: fullBackoff(path, spec.backoff),
      };
    case "pool":
      return poolThreads(path, spec as PoolSpec);
    case "supervisor": {
      const { children = [], autoShutdown } = spec as { children?: ChildSpec[]; autoShutdown?: AutoShutdown };
      return { children: fullChildren(path, children, autoShutdown) };
    }
    case "dynamic_supervisor": {
      const { template } = spec as { template?: unknown };
      if (template !== undefined) checkTemplate(path, template);
      return {};
    }
    default:
      return {};
  }
}

function fullMailbox(spec: ChildSpec): object {
  const { mailbox } = spec as { mailbox?: object };
  const { capacityBytes, ...rest } = { ...MAILBOX, ...given(mailbox ?? {}) };
  return { ...rest, capacityBytes: Math.max(4_096, 2 ** Math.ceil(Math.log2(capacityBytes))) };
}

/** As they are now, for every start to come. Throws ERR_NOT_CLONEABLE with the path of what no actor can be given. */
function argsOf(path: string, spec: ChildSpec): { args?: unknown } {
  const { args } = spec as { args?: unknown };
  if (args === undefined) return {};
  try {
    return { args: copyValue(args, "args") };
  } catch (error) {
    if (!isActorError(error)) throw error;
    throw new ActorError(error.code, `invalid child spec "${path}": ${error.message}`, { id: path, path: error.path });
  }
}

function poolThreads(path: string, spec: PoolSpec): object {
  const { minThreads = 1, concurrentTasksPerWorker = 1 } = spec;
  const { maxThreads = Math.max(minThreads, availableParallelism()) } = spec;
  if (minThreads > maxThreads) throw invalidSpec(path, "minThreads", minThreads, `maxThreads (${maxThreads}) or less`);
  const { taskTimeoutMs = concurrentTasksPerWorker === 1 ? 30_000 : Infinity } = spec;
  return { minThreads, maxThreads, taskTimeoutMs };
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

/** Without a delay unless one is asked for, as in OTP. */
function fullBackoff(path: string, backoff: Partial<BackoffOptions> = {}): BackoffOptions {
  const { minMs = 0, maxMs = Math.max(minMs, 10_000), factor = 2, jitter = 0 } = backoff;
  if (maxMs < minMs) throw invalidSpec(path, "backoff.maxMs", maxMs, `minMs (${minMs}) or more`);
  const { resetAfterMs = (minMs + maxMs) / 2 } = backoff;
  return { minMs, maxMs, factor, jitter, resetAfterMs };
}

/** Without the fields that are there but undefined, which must not hide a default. */
function given<T extends object>(spec: T): T {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as T;
}
