/**
 * The folders of each package's `src`, from the ground up: a room may import the rooms before it, and no other.
 * Beside them there is only `index.ts`, which stands above all.
 */
export const ROOMS = {
  "worker-host": [
    "protocol/errors",
    "protocol/options",
    "protocol/memory",
    "protocol/ring",
    "protocol/refs",
    "protocol/values",
    "protocol/port",
    "protocol/calls",
    "actor",
    "module",
    "log",
    "comlink",
    "loop",
    "partition",
    "process",
    "pool",
    "host",
    "index",
  ],
  runtime: [
    "mailbox",
    "stats",
    "supervision",
    "reporting",
    "signals",
    "guard",
    "messaging",
    "resource",
    "threads",
    "introspection",
    "pool",
    "actor",
    "router",
    "partitions",
    "directory",
    "dev",
    "system",
    "options",
    "guests",
    "testing",
    "index",
  ],
  metrics: ["options", "prometheus", "opentelemetry", "ui", "observer", "index"],
  cluster: [
    "link",
    "engine",
    "nodes",
    "actor",
    "gateway",
    "names",
    "groups",
    "children",
    "shards",
    "cluster",
    "testing",
    "index",
  ],
};

/** The package and the room of a source file; undefined for a file that is in no package's `src`. */
export function placeOf(file) {
  const match = /^packages\/([^/]+)\/src\/(.+)$/.exec(file);
  if (match === null) return undefined;
  const [, packageName, inside] = match;
  const parts = inside.split("/");
  const depth = parts[0] === "protocol" ? 2 : 1;
  const room = parts.length > depth ? parts.slice(0, depth).join("/") : inside.replace(/\.[cm]?ts$/, "");
  return { packageName, room };
}
