import type { ActorContext, ActorLog, DeferredReply } from "../actor/context.js";
import { portableSpec } from "../loop/portable-spec.js";
import type { ToActorProcess } from "../protocol/port/process.js";
import { ActorRef } from "../protocol/refs/actor-ref.js";
import { uncloneableFor } from "../protocol/refs/transfer-list.js";
import { type Encoded, encoded, encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import { checkLeavesMemory } from "../protocol/values/task-value.js";
import type { ProcessSender } from "./process-sender.js";
import type { ThreadChannel } from "./thread-channel.js";

/** What blocks the process until its thread has done it: some microseconds, but for `whereis`. */
const IN_THREAD = [
  "whereis",
  "monitor",
  "demonitor",
  "link",
  "unlink",
  "trapExit",
  "exit",
  "sendAfter",
  "sendInterval",
  "cancelTimer",
  "stop",
  "continueWith",
] as const;
/** What its thread refuses, whatever the arguments are. */
const REFUSED = ["spawn", "own", "on"] as const;

export interface ContextOfRuns {
  readonly channel: ThreadChannel;
  readonly sender: ProcessSender;
  readonly log: ActorLog;
  /** Of the run that is under way. */
  signal(): AbortSignal;
  /** The current call is answered later. */
  deferred(): void;
  /** Keeps the stream, if `value` is one, as that of this run. */
  streams(run: number, value: unknown): boolean;
}

/** The `ctx` of an actor in a process of its own: what it does, the `ctx` of the actor's thread does. */
export function processContext(
  incarnation: Extract<ToActorProcess, { type: "incarnation" }>,
  { channel, sender, log, signal, deferred, streams }: ContextOfRuns,
): ActorContext<any> {
  const { id, name, address, uid } = incarnation;
  const { codec } = sender;
  const argsOf = (what: string, args: unknown[]): Encoded => {
    try {
      const sent = encoded(codec.encodeArgs(args));
      checkLeavesMemory(codec, sent, "args");
      return sent;
    } catch (error) {
      throw uncloneableFor({ id, method: what }, error);
    }
  };
  const inThread =
    (what: string) =>
    (...args: unknown[]) =>
      channel.ask({ what, args: argsOf(what, args) });
  const context = {
    state: undefined,
    self: new ActorRef(sender, address, uid, id),
    id,
    name,
    incarnation: incarnation.incarnation,
    args: codec.decodeValue(payloadOf(incarnation.args)),
    log,
    handed: undefined,
    ...Object.fromEntries(IN_THREAD.map((what) => [what, inThread(what)])),
    ...Object.fromEntries(REFUSED.map((what) => [what, () => inThread(what)()])),
    async lookup(...args: unknown[]) {
      return channel.begin({ what: "lookup", args: argsOf("lookup", args) });
    },
    async startChild(spec: unknown) {
      return channel.begin({ what: "startChild", args: argsOf("startChild", [portableSpec(spec)]) });
    },
    deferReply(): DeferredReply {
      const number = channel.ask({ what: "deferReply", args: argsOf("deferReply", []) }) as number;
      deferred();
      const settle = (failed: boolean, value: unknown): void => {
        if (!failed && streams(-number, value)) return channel.post({ type: "reply_stream", deferred: number });
        let sent: Encoded;
        try {
          sent = failed ? encodeForeign(codec, value) : encoded(codec.encodeValue(value));
          checkLeavesMemory(codec, sent, "reply");
        } catch (error) {
          channel.post({ type: "reply", deferred: number, failed: true, value: encodeForeign(codec, error) });
          return;
        }
        channel.post({ type: "reply", deferred: number, failed, value: sent });
      };
      return {
        reply: (value?: unknown) => settle(false, value),
        fail: (error) => settle(true, error),
      } as DeferredReply;
    },
  };
  return Object.defineProperty(context, "signal", {
    get: signal,
    enumerable: true,
    configurable: true,
  }) as unknown as ActorContext<any>;
}
