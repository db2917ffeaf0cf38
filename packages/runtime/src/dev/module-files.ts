import { fileURLToPath } from "node:url";
import { isPartitionUrl, type PartitionArgs } from "@mini-otp/worker-host/protocol/port";
import { ActorChild } from "../actor/actor-child.js";
import type { Referable } from "../directory/directory.js";
import { PoolChild } from "../pool/pool.js";
import { moduleCandidates } from "../threads/actor-module.js";
import { modulesWithin } from "../threads/comlink-actor.js";
import { isOfProject } from "./specifier-resolver.js";

/** A partition's module is the runtime's own: it loads those of its members. */
function isPartition({ spec }: ActorChild): boolean {
  return isPartitionUrl(String(spec.actor));
}

/** What runs the same modules has the same key. Undefined for a router, whose members run them. */
export function keyOf(child: Referable): string | undefined {
  if (child instanceof PoolChild) return String(child.filename);
  if (!(child instanceof ActorChild)) return undefined;
  return isPartition(child) ? child.reloadedBy.id : String(child.threads.module);
}

/** The files of the project that its modules may be loaded from; none when they are no files of the project. */
export function filesOf(child: ActorChild | PoolChild): string[] {
  return projectFiles(() => urlsOf(child));
}

/**
 * Of a partition: the files that it loads anew beside what it has, for the light actors of its supervisor's template. What they
 * import, and the modules of those that there is one of in each partition, a new thread loads.
 */
export function liveFilesOf(child: ActorChild | PoolChild): string[] | undefined {
  if (!(child instanceof ActorChild && isPartition(child))) return undefined;
  const { template } = child.spec.args as PartitionArgs;
  return projectFiles(() => template?.modules ?? []);
}

function projectFiles(urls: () => readonly string[]): string[] {
  try {
    const files = urls()
      .flatMap(modulesWithin)
      .filter((url) => url.startsWith("file:"))
      .map((url) => fileURLToPath(url));
    return files.filter(isOfProject);
  } catch {
    // A module that cannot be found: its start tells of it.
    return [];
  }
}

function urlsOf(child: ActorChild | PoolChild): string[] {
  if (child instanceof PoolChild) return moduleCandidates(child.filename);
  if (!isPartition(child)) return moduleCandidates(child.threads.module);
  const { template, perThread } = child.spec.args as PartitionArgs;
  return [template, ...perThread.map(({ spec }) => spec)].flatMap((member) => member?.modules ?? []);
}
