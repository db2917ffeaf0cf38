import {
  type ActorRef,
  type ActorSystem,
  type ChildInfo,
  isActorError,
  type PartitionedSupervisorRef,
  type SupervisorRef,
} from "@mini-otp/runtime";
import type { ActionName } from "../ui/wire.js";

export const ACTIONS: readonly ActionName[] = ["suspend", "resume", "restart", "kill"];

type Administered = Pick<SupervisorRef, "id" | "whichChildren">;

interface Found {
  readonly parent: SupervisorRef;
  readonly child: ChildInfo;
}

/**
 * Performs an action on the actor or supervisor with this path. Rejects with the runtime's error when the runtime
 * refuses it, with ERR_NOT_FOUND for an unknown path, and with ERR_NOT_AN_ACTOR or ERR_NOT_RESTARTABLE when the action
 * does not apply.
 */
export async function act(system: ActorSystem, action: ActionName, id: string): Promise<void> {
  const found = find(system, system, id);
  if (found === undefined) throw refused("ERR_NOT_FOUND", id, action, "there is no such actor or supervisor");
  if (action === "restart") return restart(found, id, system);
  const { child } = found;
  if (system.meters.actor(id) === undefined) throw refused("ERR_NOT_AN_ACTOR", id, action, "only actors can be asked");
  const ref = child.ref as ActorRef;
  if (action === "suspend") await system.suspend(ref);
  else if (action === "resume") await system.resume(ref);
  else if (child.state !== "running") throw refused("ERR_NOPROC", id, action, "the actor is not running");
  else system.exit(ref, "kill");
}

/** An orderly stop and a new start, which does not count against the supervisor's intensity. */
async function restart({ parent, child }: Found, id: string, system: ActorSystem): Promise<void> {
  if (child.state === "stopped") {
    await parent.restartChild(child.id);
    return;
  }
  if (child.restart === "temporary") {
    throw refused("ERR_NOT_RESTARTABLE", id, "restart", "a temporary child is forgotten once it has ended");
  }
  // The members of a router have a supervisor of their own, which only the router uses.
  const { flags }: Partial<SupervisorRef> = parent;
  if (flags === undefined || flags.dynamic) {
    // A dynamic supervisor forgets a child that it is told to stop, but restarts a child that fails.
    if (system.meters.actor(id) === undefined) {
      throw refused("ERR_NOT_RESTARTABLE", id, "restart", "its supervisor does not start again what is told to stop");
    }
    system.exit(child.ref as ActorRef, "kill");
    return;
  }
  await parent.terminateChild(child.id);
  await parent.restartChild(child.id);
}

/** Of a supervisor with threads the partitions, and of its light actors only the one that is meant: there may be a hundred thousand. */
function listed(supervisor: Administered, id: string): ChildInfo[] {
  if (!("partitions" in supervisor)) return supervisor.whichChildren();
  const light = supervisor as unknown as PartitionedSupervisorRef;
  const worker = (path: string, ref: ActorRef): ChildInfo => ({
    id: path.slice(light.id.length + 1),
    type: "worker",
    state: "running",
    restart: "permanent",
    ref,
  });
  const rows = light.partitions().map((partition) => worker(partition.id, partition.ref));
  const member = light.child(id.slice(light.id.length + 1));
  return member === undefined ? rows : [...rows, worker(id, member)];
}

function find(system: ActorSystem, supervisor: Administered, id: string): Found | undefined {
  for (const child of listed(supervisor, id)) {
    const path = `${supervisor.id}/${child.id}`;
    if (path === id) return { parent: supervisor as SupervisorRef, child };
    if (!id.startsWith(`${path}/`)) continue;
    // An actor may have started children of its own.
    const below = child.type === "supervisor" ? (child.ref as SupervisorRef) : system.childrenOf(child.ref as ActorRef);
    const found = below === undefined ? undefined : find(system, below, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An action that is refused. Codes that the runtime does not have are the observer's own. */
export class ActionRefused extends Error {
  override readonly name = "ActionRefused";

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

function refused(code: string, id: string, action: string, why: string): ActionRefused {
  return new ActionRefused(code, `id=${id} ${action}: ${why}`);
}

/** Whether an error is a refusal to answer with, and not a fault of the observer. */
export function isRefusal(error: unknown): error is Error & { readonly code: string } {
  return error instanceof ActionRefused || isActorError(error);
}
