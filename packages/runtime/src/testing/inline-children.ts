import { type ActorDefinition, isActorDefinition } from "@mini-otp/worker-host";
import { ActorError, type ExitReason, isCleanExit, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType } from "../supervision/child.js";
import type { ActorSpec } from "../supervision/child-spec.js";
import { normaliseSpec } from "../supervision/normalise-spec.js";
import { invalidSpec } from "../supervision/spec-fields.js";

/** A child on the calling thread. */
export interface InlineChild {
  readonly exited: Promise<ExitReason>;
  start(): Promise<void>;
  stop(reason: ExitReason): Promise<ExitReason>;
}

/** Makes a child; `id` is its path. */
export type CreateInlineChild<C> = (
  definition: ActorDefinition,
  args: unknown,
  spec: { readonly id: string; readonly name: string | undefined; readonly restart: RestartType } & Pick<
    ActorSpec,
    "callTimeoutMs" | "throws"
  >,
) => C;

/** The children that an inline actor has started with `ctx.startChild`. */
export class InlineChildren<C extends InlineChild> {
  readonly #path: string;
  readonly #create: CreateInlineChild<C>;
  readonly #gaveUp: (reason: ExitReason) => void;
  readonly #children = new Map<string, C>();
  #lastNumber = 0;

  /** `gaveUp`: a child has failed more often than its intensity allows. */
  constructor(path: string, create: CreateInlineChild<C>, gaveUp: (reason: ExitReason) => void) {
    this.#path = path;
    this.#create = create;
    this.#gaveUp = gaveUp;
  }

  get isEmpty(): boolean {
    return this.#children.size === 0;
  }

  async start(given: unknown): Promise<C> {
    const { kind } = (given ?? {}) as { kind?: unknown };
    if (kind !== undefined && kind !== "actor") throw invalidSpec(this.#path, "kind", kind, '"actor", inline');
    const spec = normaliseSpec({ id: this.#freeId(), ...(given as object) } as ActorSpec, this.#path) as ActorSpec;
    const path = `${this.#path}/${spec.id}`;
    if (this.#children.has(spec.id))
      throw new ActorError("ERR_ALREADY_STARTED", `${path} is running already`, { id: path });
    const { restart = "permanent", name, callTimeoutMs, throws } = spec;
    const definition = await definitionOf(path, spec.actor);
    const child = this.#create(definition, spec.args, { id: path, name, restart, callTimeoutMs, throws } as never);
    this.#children.set(spec.id, child);
    void child.exited.then((reason) => {
      if (this.#children.get(spec.id) !== child) return;
      this.#children.delete(spec.id);
      if (restart === "permanent" || (restart === "transient" && !isCleanExit(reason)))
        this.#gaveUp({ kind: "shutdown", detail: "reached_max_restart_intensity" });
    });
    try {
      await child.start();
    } catch (error) {
      this.#children.delete(spec.id);
      throw error;
    }
    return child;
  }

  /** Ends all of them, in order. */
  async end(): Promise<void> {
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(children.map((child) => child.stop(SHUTDOWN)));
  }

  #freeId(): string {
    let id: string;
    do id = `child-${++this.#lastNumber}`;
    while (this.#children.has(id));
    return id;
  }
}

async function definitionOf(id: string, module: URL | string): Promise<ActorDefinition> {
  let cause: unknown;
  try {
    const { default: definition } = (await import(String(module))) as { default?: unknown };
    if (isActorDefinition(definition)) return definition;
  } catch (error) {
    cause = error;
  }
  const why = cause === undefined ? "has no default export that is an actor" : "did not load";
  throw new ActorError("ERR_ACTOR_MODULE", `id=${id}: ${String(module)} ${why}`, { id, cause });
}
