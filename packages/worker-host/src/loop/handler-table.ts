import type { ActorContext } from "../actor/context.js";
import { type ActorDefinition, type HandlersOf, OTHERWISE } from "../actor/define-actor.js";
import { shorten } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import { shownMethod } from "../protocol/errors/show-value.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import { COMLINK_METHOD } from "../protocol/refs/remote.js";

/** Of the names in an error message, or in the log of a dead letter. */
const MAX_CHARS_OF_NAMES = 500;

export type Handler = (context: ActorContext<any>, ...args: any[]) => unknown;

/** An actor's handlers, by the numbers of their names and by the names. */
export class HandlerTable {
  readonly #definition: ActorDefinition<any, any, HandlersOf<any>>;
  readonly #named: ReadonlyMap<string, Handler>;
  readonly #numbered: (Handler | undefined)[] = [];
  /** The last one found: most messages have the same name as the one before, and a look into the Map takes 15 ns. */
  #lastName = "";
  #last: Handler | undefined;

  constructor(definition: ActorDefinition<any, any, HandlersOf<any>>, names: Pick<NameTable, "find">) {
    this.#definition = definition;
    this.#named = new Map(Object.entries<Handler>(definition.handlers));
    for (const [method, handler] of this.#named) {
      const id = names.find(method);
      if (id !== 0) this.#numbered[id] = handler;
    }
  }

  /** Undefined also when this thread has not met the number yet: then `find` knows. */
  numbered(methodId: number): Handler | undefined {
    return this.#numbered[methodId];
  }

  named(method: string): Handler | undefined {
    if (method !== this.#lastName || this.#last === undefined) {
      this.#last = this.#named.get(method);
      this.#lastName = method;
    }
    return this.#last;
  }

  /** By its name, because its sender or this thread found no number for it. */
  find(methodId: number, method: string): Handler | undefined {
    const handler = this.#named.get(method);
    if (handler !== undefined) {
      if (methodId > 0) this.#numbered[methodId] = handler;
      return handler;
    }
    const otherwise = this.#definition[OTHERWISE];
    return otherwise === undefined ? undefined : (context, ...args) => otherwise(context, method, args);
  }

  /** What there is, for a message that there is no handler for. */
  get names(): string {
    return listed([...this.#named.keys()]);
  }

  /** The error for a message that `id` has no handler for. */
  unknownMethod(id: string, method: string, args: readonly unknown[]): ActorError {
    const known = this.names;
    const message =
      method === COMLINK_METHOD
        ? `id=${id}: ${String(args[0])} ${String(args[1])}: an actor's remote has methods only: ${known}`
        : `id=${id} method=${method}: no such handler; it has: ${known}`;
    return new ActorError("ERR_UNKNOWN_METHOD", message, { id, method });
  }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : shorten(names.join(", "), MAX_CHARS_OF_NAMES);
}

/** Throws ERR_UNKNOWN_METHOD when an actor asks for a message to itself that it has no handler for. */
export function requireHandler(id: string, handlers: object, method: string): void {
  if (typeof method === "string" && Object.hasOwn(handlers, method)) return;
  const message = `id=${id} method=${shownMethod(method)}: no such handler; it has: ${listed(Object.keys(handlers))}`;
  throw new ActorError("ERR_UNKNOWN_METHOD", message, { id, method });
}
