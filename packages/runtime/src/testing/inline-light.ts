import type { ActorContext, Emitter, SpawnSpec } from "@mini-otp/worker-host";
import { blocks, type LoopState, lifeEnded, ownThreadOnly, requireHandler } from "@mini-otp/worker-host/loop";
import { aFunction, takeArgument } from "@mini-otp/worker-host/protocol/options";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";

/** What only light actors are given. */
export interface InlineLight {
  readonly handed: unknown;
  spawn(spec: SpawnSpec, hand: unknown): ActorRef;
}

export interface LightLifeParts {
  readonly id: string;
  readonly handlers: object;
  readonly log: Logger;
  readonly loopState: LoopState;
  /** Puts an event into the actor's mailbox. */
  accept(method: string, args: unknown[]): boolean;
}

interface Owned {
  readonly thing: unknown;
  readonly dispose: (thing: any) => void;
}

/** What one life of a light actor owns and listens to, which it lets go when it ends. */
export class LightLife {
  readonly #parts: LightLifeParts;
  readonly #owned: Owned[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(parts: LightLifeParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.id;
  }

  /** Throws ERR_NOPROC once it has ended. */
  requireRunning(): void {
    if (this.#parts.loopState.ended) throw lifeEnded(this.id);
  }

  own<T>(thing: T, dispose: (thing: T) => void): T {
    takeArgument("ctx.own", "dispose", dispose, aFunction);
    this.#owned.push({ thing, dispose });
    return thing;
  }

  on(emitter: Emitter, event: string | symbol, method: string): () => void {
    requireHandler(this.id, this.#parts.handlers, method);
    const listener = (...args: unknown[]): void => void this.#parts.accept(method, args);
    emitter.on(event, listener);
    const takeOff = (): void => {
      this.#listeners.delete(takeOff);
      emitter.off(event, listener);
    };
    this.#listeners.add(takeOff);
    return takeOff;
  }

  /** The life is over. What one `dispose` throws keeps nothing else from being let go. */
  letGo(): void {
    for (const takeOff of [...this.#listeners]) this.#safely(takeOff);
    for (const { thing, dispose } of this.#owned.splice(0).reverse()) this.#safely(() => dispose(thing));
  }

  #safely(task: () => void): void {
    try {
      task();
    } catch (error) {
      const { id, log } = this.#parts;
      log.error({ actor: id, err: error }, "what the actor owned could not be let go");
    }
  }
}

/** What a light actor's context does in its life only. */
const IN_ITS_LIFE = [
  "lookup",
  "monitor",
  "demonitor",
  "link",
  "unlink",
  "trapExit",
  "exit",
  "sendAfter",
  "sendInterval",
  "deferReply",
  "stop",
  "continueWith",
  "spawn",
  "own",
  "on",
] as const satisfies readonly (keyof ActorContext)[];

/** Makes the context of an inline actor that of a light one: with what only these have, and without what they lack. */
export function lighten(context: ActorContext<any>, life: LightLife, { handed, spawn }: InlineLight): void {
  const { id } = life;
  const methods: Pick<ActorContext, "spawn" | "own" | "on" | "whereis" | "startChild"> & { handed: unknown } = {
    handed,
    spawn: (spec = {}, options = {}): any => spawn(spec, options.hand),
    own: (thing, dispose) => life.own(thing, dispose),
    on: (emitter, event, method) => life.on(emitter, event, method),
    whereis() {
      throw blocks(id, "ctx.whereis", "await ctx.lookup(name)");
    },
    startChild: (): Promise<never> => Promise.reject(ownThreadOnly(id, "ctx.startChild")),
  };
  Object.assign(context, methods);
  const checked = context as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of IN_ITS_LIFE) {
    const method = checked[name];
    checked[name] = (...args) => {
      life.requireRunning();
      return method.apply(context, args);
    };
  }
}
