import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { invalidOption } from "../protocol/errors/invalid-option.js";
import { methodNameFault } from "../protocol/memory/method-name.js";
import {
  aFunction,
  Complaint,
  type Fields,
  field,
  inWords,
  isComplaint,
  isText,
  takeFields,
} from "../protocol/options/fields.js";
import { aThrows } from "../protocol/options/throws.js";
import type { ActorContext } from "./context.js";

const ACTOR = Symbol.for("mini-otp.actor");
/** @internal In a definition: handles the methods that no handler is named after. */
export const OTHERWISE = Symbol.for("mini-otp.otherwise");
const IGNORE = Symbol.for("mini-otp.ignore");

/** `init` returns this to end without an error and without running: the supervisor keeps the spec, stopped. */
export interface Ignore {
  readonly [IGNORE]: true;
}

const ignored: Ignore = Object.freeze({ [IGNORE]: true as const });

/** The value for `init` to return when the actor has no reason to run: its start succeeds, and it does not run. */
export function ignore(): Ignore {
  return ignored;
}

/** @internal */
export function isIgnore(value: unknown): value is Ignore {
  return typeof value === "object" && value !== null && (value as Partial<Ignore>)[IGNORE] === true;
}

/** A protocol: each method handles one kind of message. Its result is the reply if the message is a call. */
export type HandlersOf<State, Method extends string = string> = Record<
  string,
  (ctx: ActorContext<State, Method>, ...args: any[]) => unknown
>;

/** The state that `init` gives the handlers. */
export type StateOf<Init> = [Exclude<Awaited<Init>, Ignore>] extends [never]
  ? undefined
  : Exclude<Awaited<Init>, Ignore>;

/** What `defineActor` takes beside the handlers. `Method` are their names, which `ctx` may send to. */
export interface OptionsBesideHandlers<Init, Args, Method extends string = string> {
  /** Runs before any message; returns the state, or `ignore()`. May be async. The start fails when it throws. */
  init?: (args: Args, ctx: ActorContext<undefined, Method>) => Init;
  /**
   * Gets messages that are neither calls nor casts: DOWN of monitors, EXIT of links, `ref.send`. The default logs and
   * drops them.
   */
  info?: ((ctx: ActorContext<StateOf<Init>, Method>, message: any) => unknown) | undefined;
  /** Runs when the actor stops, after a drain, and never on a kill: correctness must not depend on it. */
  terminate?: ((ctx: ActorContext<StateOf<Init>, Method>, reason: ExitReason) => unknown) | undefined;
  /**
   * What a handler, or `info`, does that throws something else than a `ReplyError`. `"crash"` (default): the actor
   * crashes. `"reply"`: a call fails with what was thrown; where no call waits it is logged as an error; the actor
   * lives. A spec with `throws` wins.
   */
  throws?: "crash" | "reply" | undefined;
  /** The version that the next version's `codeChange` gets as `fromVersion`. Default: the URL of the module. */
  version?: string | undefined;
  /**
   * Turns the state of the former version into the state of this one, on `system.upgrade`; runs in place of `init`. The
   * default takes the state as it is. When it throws, the former version stays in place. It cannot send messages.
   */
  codeChange?: (state: any, fromVersion: string | undefined) => StateOf<Init> | Promise<StateOf<Init>>;
}

/** What `defineActor` takes. `Method` are the names of the handlers, which `ctx` may send to. */
export interface ActorOptions<Init, Args, Handlers, Method extends string = string>
  extends OptionsBesideHandlers<Init, Args, Method> {
  /** Handle one message at a time; an async handler holds the next message back. `throws` says what one that throws does. */
  handlers: Handlers & HandlersOf<StateOf<Init>, Method> & Record<Method, unknown>;
}

/** An actor's definition: a module's default export. Its type carries the protocol to `startChild<typeof X>`. */
export interface ActorDefinition<State = any, Args = any, Handlers = HandlersOf<State>>
  extends OptionsBesideHandlers<State | Ignore | Promise<State | Ignore>, Args> {
  readonly handlers: Handlers;
  [OTHERWISE]?(ctx: ActorContext<State>, method: string, args: unknown[]): unknown;
  readonly [ACTOR]: true;
}

/**
 * Defines an actor. Types are inferred: `ctx.state` is what `init` returns.
 *
 * Throws ERR_INVALID_OPTION when a handler is not a function, when its name is empty, longer than 256 bytes or
 * ill-formed (half of a surrogate pair), and for options that do not exist.
 */
export function defineActor<
  Init = undefined,
  Args = undefined,
  Handlers extends HandlersOf<any> = Record<never, never>,
  Method extends string = string,
>(
  // `handlers` is required apart: from an object without a property that is required beside it the compiler infers
  // nothing, and complains of `init` where it should of `handler`.
  options: OptionsBesideHandlers<Init, Args, Method> & {
    /** Handle one message at a time. */
    handlers?: ActorOptions<Init, Args, Handlers, Method>["handlers"];
  } & { readonly handlers: unknown },
): ActorDefinition<StateOf<Init>, Args, Handlers> {
  const taken = takeFields(options, OPTIONS);
  if (isComplaint(taken)) throw refused(taken);
  checkInstance(taken.handlers as object);
  return Object.freeze({ ...taken, [ACTOR]: true as const }) as unknown as ActorDefinition<
    StateOf<Init>,
    Args,
    Handlers
  >;
}

const HANDLERS = "an object of functions: { hello(ctx, name) { … } }";
const OPTIONS: Fields = {
  init: aFunction,
  handlers: {
    allowed: HANDLERS,
    required: true,
    take(value) {
      if (typeof value !== "object" || value === null) return new Complaint("", value, HANDLERS);
      for (const method of Object.keys(value)) {
        const fault = methodNameFault(method);
        if (fault !== undefined) return new Complaint("", method, `named so that senders can send the names: ${fault}`);
        const handler = (value as Record<string, unknown>)[method];
        if (typeof handler !== "function") return new Complaint(method, handler, aFunction.allowed);
      }
      return value;
    },
  },
  info: aFunction,
  terminate: aFunction,
  throws: aThrows,
  version: field("a string", isText),
  codeChange: aFunction,
};

/** Refuses instances of classes: a class keeps its methods on its prototype, where no handlers are looked for. */
function checkInstance(handlers: object): void {
  const className = Object.keys(handlers).length > 0 ? undefined : classNameOf(handlers);
  if (className === undefined || className === "Object") return;
  const message = `defineActor: handlers is an instance of ${className} without functions of its own; list them: { … }`;
  throw invalidOption(message, { function: "defineActor", field: "handlers", value: handlers, allowed: HANDLERS });
}

function classNameOf(handlers: object): string | undefined {
  try {
    const { constructor: of } = handlers;
    return typeof of === "function" && isText(of.name) ? of.name : undefined;
  } catch {
    // The object is a Proxy that throws.
    return undefined;
  }
}

function refused(complaint: Complaint): Error {
  const { path, value, allowed, known } = complaint;
  const said = inWords(complaint);
  const isHandler = known !== undefined && typeof value === "function" && !said.endsWith("?");
  const where = isHandler ? "; what an actor is sent is handled by its handlers" : "";
  return invalidOption(`defineActor: ${said}${where}`, { function: "defineActor", field: path, value, allowed });
}

/** @internal */
export function isActorDefinition(value: unknown): value is ActorDefinition {
  return typeof value === "object" && value !== null && (value as Partial<ActorDefinition>)[ACTOR] === true;
}
