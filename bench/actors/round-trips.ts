import { type MailboxOptions, startSystem } from "@mini-otp/runtime";
import type { Contender, Round, Runner } from "../contender.js";
import type Caller from "./caller.actor.js";
import type Responder from "./responder.actor.js";

const ROUND_TIMEOUT_MS = 60_000;

export type CallerMethod = "callSync" | "call" | "callSyncParked" | "callParked" | "callSyncBehind";

export interface RoundTripOptions {
  readonly name: string;
  readonly method: CallerMethod;
  readonly how?: string;
  /** A further argument of the method. */
  readonly argument?: number;
  /** So many calls without a pause come first. */
  readonly before?: { readonly method: CallerMethod; readonly count: number };
  /** The caller's. */
  readonly mailbox?: Partial<MailboxOptions>;
}

/** One actor calls another. */
export function actorRoundTrips({
  name,
  method,
  how,
  argument = 0,
  before,
  mailbox = {},
}: RoundTripOptions): Contender {
  return {
    name,
    ...(how === undefined ? {} : { how }),
    async start(): Promise<Runner> {
      const system = await startSystem();
      const responder = await system.startChild<typeof Responder>({
        id: "responder",
        actor: new URL("./responder.actor.js", import.meta.url),
      });
      const started = await system.startChild<typeof Caller>({
        id: "caller",
        actor: new URL("./caller.actor.js", import.meta.url),
        mailbox,
      });
      const caller = started.with({ timeoutMs: ROUND_TIMEOUT_MS });
      if (before !== undefined) await caller.call(before.method, responder, before.count, 0);
      return {
        round: (work): Promise<Round> => caller.call(method, responder, work, argument),
        stop: () => system.stop(),
      };
    },
  };
}
