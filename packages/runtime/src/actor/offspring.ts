import { ActorError, type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { StopOutcome, StopRequest } from "../supervision/child.js";
import type { ChildSpec } from "../supervision/child-spec.js";
import { createDynamicSupervisor } from "../supervision/dynamic-supervisor.js";
import { invalidSpec } from "../supervision/spec-fields.js";
import { NOTHING_LEFT } from "../supervision/stop-budget.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import type { SupervisorProcess } from "../supervision/supervisor-process.js";
import type { SupervisorRef } from "../supervision/supervisor-ref.js";

const KINDS = new Set<unknown>([undefined, "actor", "router", "pool"]);

/** How the children of an actor end that has ended by itself: in order, each within its own `shutdown`. */
const ORPHANED: StopRequest = Object.freeze({ reason: SHUTDOWN, shutdown: "infinity", restarting: false });

/**
 * The children that an actor has started: they are under a dynamic supervisor of the actor's own, which exists while
 * the actor has children, and whose path is the actor's.
 */
export class Offspring {
  readonly #path: string;
  readonly #tree: TreeEnvironment;
  readonly #gaveUp: (reason: ExitReason) => void;
  #process: SupervisorProcess | undefined;
  #started: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  #ended: Promise<StopOutcome> | undefined;

  /** `gaveUp`: the children failed more often than the intensity allows, and all of them have ended. */
  constructor(path: string, tree: TreeEnvironment, gaveUp: (reason: ExitReason) => void) {
    this.#path = path;
    this.#tree = tree;
    this.#gaveUp = gaveUp;
  }

  /** Nothing of it runs or has to be ended. */
  get isEmpty(): boolean {
    return this.#process === undefined;
  }

  /** For the tree; undefined while the actor has no children. */
  get supervisor(): SupervisorRef | undefined {
    return this.#process?.ref;
  }

  async startChild(spec: unknown): Promise<unknown> {
    const id = this.#path;
    const { kind } = (spec ?? {}) as { kind?: unknown };
    if (!KINDS.has(kind)) throw invalidSpec(id, "kind", kind, '"actor", "router" or "pool": an actor starts no other');
    if (this.#isEnding) throw new ActorError("ERR_NOPROC", `id=${id} startChild: the actor is ending`, { id });
    if (this.#process === undefined) {
      const of = { kind: "dynamic_supervisor", id, restart: "temporary", shutdown: "infinity", significant: false };
      const limits = { intensity: 3, periodMs: 5000, maxChildren: Infinity, backoff: undefined };
      const process: SupervisorProcess = createDynamicSupervisor(
        { ...of, ...limits } as never,
        id,
        this.#tree,
        (reason) => {
          this.#forget(process);
          this.#gaveUp(reason);
        },
      );
      this.#process = process;
      this.#started = process.start(1);
    }
    const { ref } = this.#process;
    await this.#started;
    return ref.startChild(spec as ChildSpec);
  }

  /** Ends all children. May be called again with a limit that is no later. Nothing can be started until it is over. */
  end(request: StopRequest = ORPHANED): Promise<StopOutcome> {
    const process = this.#process;
    if (process === undefined) return this.#ended ?? Promise.resolve({ ...NOTHING_LEFT, reason: request.reason });
    this.#isEnding = true;
    const stopped = process.stop(request);
    this.#ended ??= stopped.then((outcome) => {
      this.#forget(process);
      return outcome;
    });
    return this.#ended;
  }

  #forget(process: SupervisorProcess): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#isEnding = false;
    this.#ended = undefined;
    process.dispose();
  }
}
