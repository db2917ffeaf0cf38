import { type ActorDefinition, defineActor, OTHERWISE } from "@mini-otp/worker-host";
import { type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { DEFAULT_CALL_TIMEOUT_MS } from "@mini-otp/worker-host/protocol/memory";
import {
  anId,
  type Fields,
  field,
  isRecord,
  isText,
  takeArgument,
  takeOptions,
  text,
  timerMs,
} from "@mini-otp/worker-host/protocol/options";
import { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { systemLogger } from "../reporting/logger.js";
import { systemClock } from "../supervision/clock.js";
import { ActorSystem } from "../system/actor-system.js";
import { InlineActor } from "./inline-actor.js";
import { INLINE_ADDRESS, InlineSender } from "./inline-world.js";
import { type OnProbed, ProbeMailbox, referenceTo } from "./probe-mailbox.js";
import { latestTestSystem } from "./test-system.js";

/** One message that a probe got. */
export interface Received {
  readonly kind: "call" | "cast" | "send";
  /** `"info"` for a message by `send`. */
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Selects messages: the name of a method, or a function that returns true for them. */
export type Match = string | ((message: Received) => boolean);

/**
 * The answer to a call: a value, or a function of its arguments, which may be async or throw. To a stream, which counts
 * as a call: a generator, or a function that returns one.
 */
export type Answer = unknown | ((...args: any[]) => unknown);

/** What `probe` takes. */
export interface ProbeOptions {
  /** Default `"probe-1"`, `"probe-2"`, …. */
  id?: string | undefined;
  /**
   * The system whose actors can send to it. Default: the test system that was started last; where none runs, inline
   * actors.
   */
  system?: ActorSystem | undefined;
  /** The answers to calls, by method. A call of another method gets undefined. */
  answers?: Readonly<Record<string, Answer>> | undefined;
}

interface Waiter {
  readonly match: (message: Received) => boolean;
  readonly resolve: (message: Received) => void;
}

const FIELDS: Fields = {
  id: anId,
  system: field("a system: what startTestSystem resolves to", (value) => value instanceof ActorSystem),
  answers: field("an object with an answer for each method", isRecord, (answers) => ({ ...answers })),
};
const aMatch = field("the name of a method, or a function", (match) => isText(match) || typeof match === "function");

const DEADLINE_MS = 5000;
let probes = 0;

/**
 * A reference on main that stands in for an actor and records its messages in the order of their arrival. Send it to
 * actors wherever they expect a reference.
 */
export class Probe<A = any> extends ActorRef<A> {
  readonly #recorder: Recorder;
  readonly #close: () => void;

  /** @internal */
  constructor(reference: ConstructorParameters<typeof ActorRef>, recorder: Recorder, close: () => void) {
    super(...reference);
    this.#recorder = recorder;
    this.#close = close;
  }

  /** All messages so far. */
  get received(): readonly Received[] {
    return this.#recorder.received;
  }

  /**
   * Resolves with the first message that matches and that no `expect` has taken yet, whether it is here or still to
   * come. Rejects after `deadlineMs` (default 5 000); the error lists what came instead, with the stack of the line that
   * expected it.
   */
  async expect(match: Match = () => true, deadlineMs: number = DEADLINE_MS): Promise<Received> {
    const failure = failureBelow(this.expect);
    takeArgument("expect", "match", match, aMatch);
    takeArgument("expect", "deadlineMs", deadlineMs, timerMs, true);
    return this.#recorder.expect(match, deadlineMs, failure);
  }

  /** Resolves when no matching message has come for `forMs`; rejects as soon as one does. */
  async expectNone(forMs: number, match: Match = () => true): Promise<void> {
    const failure = failureBelow(this.expectNone);
    takeArgument("expectNone", "forMs", forMs, timerMs, true);
    takeArgument("expectNone", "match", match, aMatch);
    return this.#recorder.expectNone(forMs, match, failure);
  }

  /** From now on calls of `method` get this answer. */
  answer(method: string, answer: Answer): this {
    this.#recorder.answers.set(takeArgument("answer", "method", method, text), answer);
    return this;
  }

  /** Forgets all messages so far. */
  clear(): void {
    this.#recorder.clear();
  }

  /** Refuses messages from now on, as an actor that has stopped; actors that monitor it get DOWN with `shutdown`. */
  close(): void {
    this.#close();
  }
}

type Failure = (message: string) => Error;

/** Makes errors that point at the line that has called `method`: by the time they are made, a timer or a message has. */
function failureBelow(method: (...args: never[]) => unknown): Failure {
  const place: { readonly stack?: unknown } = {};
  Error.captureStackTrace(place, method);
  return (message) => {
    const error = new Error(message);
    const { stack } = place;
    // An application's `Error.prepareStackTrace` makes of a stack what it likes.
    const frames = typeof stack === "string" ? stack.indexOf("\n    at ") : -1;
    if (frames !== -1) error.stack = `Error: ${message}${(stack as string).slice(frames)}`;
    return error;
  };
}

class Recorder {
  received: Received[] = [];
  readonly answers: Map<string, Answer>;
  #untaken: Received[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.answers = new Map(Object.entries(answers));
  }

  readonly record: OnProbed = (kind, method, args) => {
    const message: Received = { kind, method, args };
    this.received.push(message);
    const waiter = [...this.#waiters].find(({ match }) => match(message));
    if (waiter === undefined) this.#untaken.push(message);
    else {
      this.#waiters.delete(waiter);
      waiter.resolve(message);
    }
    const answer = kind === "send" ? undefined : this.answers.get(method);
    return typeof answer === "function" ? (answer as (...args: unknown[]) => unknown)(...args) : answer;
  };

  clear(): void {
    this.received = [];
    this.#untaken = [];
  }

  expect(match: Match, deadlineMs: number, failure: Failure): Promise<Received> {
    const matches = predicate(match);
    const index = this.#untaken.findIndex(matches);
    if (index !== -1) return Promise.resolve(this.#untaken.splice(index, 1)[0]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const came = this.#untaken.map(describe).join(", ") || "nothing";
        reject(failure(`no ${nameOf(match)} within deadlineMs=${deadlineMs}; what came and was not expected: ${came}`));
      }, deadlineMs);
      const waiter: Waiter = {
        match: matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  async expectNone(forMs: number, match: Match, failure: Failure): Promise<void> {
    const unexpected = await this.expect(match, forMs, failure).catch(() => undefined);
    if (unexpected !== undefined) throw failure(`${describe(unexpected)} came, and none was expected`);
  }
}

function predicate(match: Match): (message: Received) => boolean {
  return typeof match === "string" ? ({ method }) => method === match : match;
}

function nameOf(match: Match): string {
  return typeof match === "string" ? `message ${JSON.stringify(match)}` : "message that matches";
}

function describe({ kind, method, args }: Received): string {
  const shown = args.map((arg) => {
    try {
      return JSON.stringify(arg) ?? String(arg);
    } catch {
      return String(arg);
    }
  });
  return `${kind} ${method}(${shown.join(", ")})`;
}

/** Creates a reference that records the messages that actors send to it. */
export function probe<A = any>(options: ProbeOptions = {}): Probe<A> {
  const taken = takeOptions("probe", options, FIELDS);
  const { id = `probe-${++probes}`, system = latestTestSystem(), answers = {} } = taken;
  const recorder = new Recorder(answers);
  return system === undefined ? inlineProbe<A>(id, recorder) : systemProbe<A>(id, system, recorder);
}

function systemProbe<A>(id: string, system: ActorSystem, recorder: Recorder): Probe<A> {
  const actors = ActorSystem.actorsOf(system);
  const mailbox = new ProbeMailbox(id, actors, recorder.record);
  const close = (reason: ExitReason): void => {
    mailbox.close();
    tellWatchers(reason);
  };
  const ref = new Probe<A>(referenceTo(mailbox, id), recorder, () => close(SHUTDOWN));
  const tellWatchers = actors.attach(ref.uid, {
    id,
    ref,
    kill: close,
    info: (message) => void recorder.record("send", "info", [message]),
  });
  void system.terminated.then(() => close(SHUTDOWN));
  return ref;
}

function inlineProbe<A>(id: string, recorder: Recorder): Probe<A> {
  const definition: ActorDefinition<any, any, any> = {
    ...defineActor({
      handlers: {},
      info: (_ctx, message) => void recorder.record("send", "info", [message]),
    }),
    [OTHERWISE]: (ctx, method, args) => {
      let deferred: ReturnType<typeof ctx.deferReply> | undefined;
      try {
        deferred = ctx.deferReply();
      } catch {
        // The message is a cast.
      }
      const answer = async (): Promise<unknown> =>
        recorder.record(deferred === undefined ? "cast" : "call", method, args);
      void answer().then(
        (value) => deferred?.reply(value),
        (error: Error) => deferred?.fail(error),
      );
    },
  };
  const log = systemLogger(false, id, () => {});
  const actor = new InlineActor(definition, undefined, {
    id,
    name: undefined,
    restart: "temporary",
    intensity: 0,
    periodMs: 0,
    clock: systemClock,
    log,
    callTimeoutMs: DEFAULT_CALL_TIMEOUT_MS,
    throws: "crash",
  });
  void actor.start();
  const reference: ConstructorParameters<typeof ActorRef> = [new InlineSender(), INLINE_ADDRESS, actor.uid, id];
  return new Probe<A>(reference, recorder, () => void actor.stop({ kind: "shutdown" }));
}
