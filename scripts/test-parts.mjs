/**
 * `pnpm test` is to take six minutes on two cores; what does not fit is `pnpm test:long`.
 * `pnpm test:full`, for a release, runs every file with all its cases. Here is which files run in which. `TEST_PART` says
 * it to vitest and to the tests; without it, as in `vitest run ring`, everything runs in full.
 */
export const PART = process.env.TEST_PART;

/** Only in `test:long`: test files and folders of `test`, without `.test.ts`. */
export const LONG = [
  "actor/deadlines",
  "actor/start-child",
  "actor/upgrade",
  "attacks/",
  "cluster/away",
  "cluster/bounds",
  "cluster/cleared",
  "cluster/deploy",
  "cluster/faulty-network",
  "cluster/history",
  "cluster/messages",
  "cluster/names",
  "cluster/processes",
  "cluster/references",
  "cluster/security",
  "cluster/shards",
  "cluster/signals",
  "comlink/comlink",
  "dev/reload",
  "docs/api",
  "docs/code-blocks",
  "docs/errors",
  "docs/links",
  "docs/options",
  "docs/runtime-semantics",
  "errors/messages",
  "examples/bullmq",
  "examples/cluster-atlas",
  "examples/code-atlas",
  "examples/mqtt-broker",
  "examples/persistent-counter",
  "examples/recipes",
  "examples/tour",
  "examples/tour-observed",
  "guard/blocked-main",
  "guard/garbage",
  "guard/zombies",
  "introspection/propagation",
  "introspection/tracing",
  "light/both-modes",
  "light/members",
  "light/memory",
  "light/partitions",
  "light/restarts",
  "light/sentences",
  "light/storm",
  "light/survivors",
  "light/upgrade",
  "messaging/channels-and-restarts",
  "messaging/streams",
  "observer/nodes",
  "observer/page",
  "observer/stream",
  "packages/strangers",
  "pool/map",
  "pool/pool",
  "pool/processes",
  "process/",
  "prometheus/promql",
  "reporting/last-lines",
  "repository/boundaries",
  "ring/kill-points",
  "ring/ring-model",
  "router/router",
  "router/router-references",
  "soak/soak",
  "supervision/threads/restart-matrix",
  "supervision/threads/supervision",
  "system/blocked-main",
  "system/handle-signals",
  "system/misuse",
  "system/shutdown",
  "testing/inline-and-threaded",
  "testing/light-actors",
  "types/completion",
  "types/packed",
  "typescript/versions",
  // These run on other Nodes too, which have to be downloaded.
  "bundling/recipes",
  "module/loading",
];

/** Only in `test:full`: each takes up to some minutes, and tests at full size what others test at a small one. */
export const FULL = [
  "cluster/shards-processes",
  "cluster/soak",
  "dev/loaders",
  "examples/code-atlas-facts",
  "examples/mqtt-broker-load",
  "examples/tcp-ingest",
  "observer/page-at-size",
  "soak/calls-settle",
  "soak/map-memory",
];

/** In `test` with fewer cases or less time (`ofPart` in test/support/part.ts), and in `test:long` with more. */
export const SCALED = [
  "actor/server-life",
  "cluster/lease",
  "cluster/link",
  "cluster/moving",
  "faults/faults",
  "loop/timers",
  "mailbox/both-modes",
  "messaging/calls",
  "ring/fuzz",
  "signals/links-and-monitors",
];

/** These measure how late something is, so nothing else runs beside them. */
export const ALONE = [
  "attacks/event-loop",
  "attacks/starvation",
  "cluster/processes",
  "cluster/shards",
  "cluster/shards-processes",
  "cluster/soak",
  "faults/faults",
  "guard/garbage",
  "guard/guard",
  "guard/zombies",
  "light/memory",
  "messaging/call-cycles",
  "messaging/main-waits",
  "prometheus/metrics",
  "reporting/logs",
  "system/handle-signals",
  "system/shutdown",
  "actor/deadlines",
  "examples/mqtt-broker-load",
  "examples/tcp-ingest",
  "observer/page",
  "observer/page-at-size",
];

/** Which of these, by name as `ring/fuzz`, run in the part: "short", "long", or undefined for all. */
export function filesOfPart(names, part) {
  if (part === undefined) return [...names];
  const isFull = (name) => FULL.includes(name);
  const isLong = (name) => LONG.some((long) => name === long || (long.endsWith("/") && name.startsWith(long)));
  return names.filter((name) => SCALED.includes(name) || (!isFull(name) && isLong(name) === (part === "long")));
}
