import type { ActorRef, ActorSystem, PartitionedSupervisorRef } from "@mini-otp/runtime";
import { isActorError } from "@mini-otp/runtime";
import type { MembersPart } from "../ui/wire.js";

const MOST = 1_000;

/** What was asked for, or why it cannot be: `status` is that of HTTP. */
type Answer = { readonly status: 200; readonly part: MembersPart } | Refusal;

interface Refusal {
  readonly status: 400 | 404;
  readonly code: string;
  readonly message: string;
}

/** A page of the light actors in one partition: main looks at those of this partition, and lists no more than a page. */
export function membersPage(system: ActorSystem, query: URLSearchParams): Answer {
  const supervisor = partitionedAt(system, query.get("of") ?? "");
  if (supervisor === undefined) {
    return { status: 404, code: "ERR_NOT_FOUND", message: "of must be the path of a supervisor with threads" };
  }
  const [partition, limit] = [query.get("partition") ?? "0", query.get("limit") ?? "100"];
  const after = query.get("after") ?? undefined;
  const sort = query.get("sort") ?? "queue";
  if (![partition, limit].every((text) => /^\d{1,4}$/.test(text)) || (sort !== "queue" && sort !== "id")) {
    const message = `partition and limit are whole numbers, limit 1 to ${MOST}; sort is "queue" or "id"`;
    return { status: 400, code: "ERR_REQUEST", message };
  }
  try {
    const asked = {
      partition: Number(partition),
      sort,
      limit: Number(limit),
      ...(after === undefined ? {} : { after }),
    };
    const members = supervisor.members(asked as never).map(({ id, queued }) => ({ id, queued }));
    return { status: 200, part: { members, more: members.length === asked.limit } };
  } catch (error) {
    if (!isActorError(error, "ERR_INVALID_OPTION")) throw error;
    return { status: 400, code: "ERR_REQUEST", message: error.message };
  }
}

/** The supervisor with threads at this path, by way of those above it. */
function partitionedAt(system: ActorSystem, path: string): PartitionedSupervisorRef | undefined {
  type Parent = { child?(id: string): unknown };
  let at: unknown = system;
  const [root, ...ids] = path.split("/");
  if (root !== system.id) return undefined;
  for (const id of ids) {
    const parent = at as Parent;
    const below =
      typeof parent.child === "function" ? parent : (system.childrenOf(at as ActorRef) as Parent | undefined);
    at = below?.child?.(id);
    if (at === undefined) return undefined;
  }
  return typeof at === "object" && at !== null && "partitions" in at ? (at as PartitionedSupervisorRef) : undefined;
}
