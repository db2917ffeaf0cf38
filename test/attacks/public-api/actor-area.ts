import {
  type ActorContext,
  type ActorRef,
  type DeferredReply,
  isActorError,
  type PoolRef,
  type RouterRef,
} from "@mini-otp/worker-host";
import type { Area } from "./attack.js";
import { Random } from "./random.js";

/** As many as may have been asked for since the last check, and a few. */
const MOST_EXITS = 100;

export interface Peers {
  readonly peer: ActorRef;
  readonly routed: RouterRef;
  readonly threads: PoolRef;
}

/** What an actor's code sees of the runtime. */
export class ActorArea implements Area {
  readonly #ctx: ActorContext<any>;
  readonly #peers: Peers;
  readonly #random: Random;
  /** Of calls that wait for them. */
  readonly #held: DeferredReply[];

  constructor(ctx: ActorContext<any>, peers: Peers, held: DeferredReply[], seed: number) {
    this.#held = held;
    this.#ctx = ctx;
    this.#peers = peers;
    this.#random = new Random(seed + 2);
  }

  target(name: string): object | undefined {
    const [owner, member] = name.split(".");
    return member === undefined ? undefined : (this.named(owner) as object | undefined);
  }

  named(name: string): unknown {
    const { peer, routed, threads } = this.#peers;
    switch (name) {
      case "ActorContext":
        return { ...methodsOf(this.#ctx), stop: (reason: unknown) => this.#stop(reason) };
      case "ActorLog":
        return this.#ctx.log;
      case "DeferredReply":
        return this.#held.length > 1 ? this.#held.pop() : this.#held[0];
      case "ActorRef":
        return peer;
      case "RouterRef":
        return routed;
      case "PoolRef":
        return threads;
      case "AbortSignal":
        return this.#random.pick([AbortSignal.abort(), new AbortController().signal]);
      case "Record":
        return { a: 1 };
      case "ArrayBuffer":
        return new ArrayBuffer(8);
      default:
        return undefined;
    }
  }

  hint(name: string): (() => unknown) | undefined {
    const values = HINTS[name];
    return values === undefined ? undefined : () => this.#random.pick(values);
  }

  adjust(_call: string, args: unknown[]): unknown[] {
    return args;
  }

  isAlone(): boolean {
    return false;
  }

  expects(call: string, { message }: { readonly message: string }): boolean {
    // What its callback throws is the user's.
    if (call === "ActorLog.flush") return true;
    return message.includes("the message being handled is not a call");
  }

  undo(call: string, result: any): void {
    if (/\.send(?:After|Interval)$/.test(call)) this.#ctx.cancelTimer(result);
    this.#ctx.trapExit(true);
  }

  async check(): Promise<void> {
    const { peer } = this.#peers;
    // An exit that was asked for before may come while the peer is asked; it is started again then.
    for (let exits = 0; ; exits++) {
      try {
        if ((await peer.call("echo", "well")) !== "well") throw new Error("the peer is not well");
        return;
      } catch (error) {
        if (!isActorError(error, "ERR_CALL_EXIT") || exits === MOST_EXITS) throw error;
      }
    }
  }

  /** With a right reason it would be over. */
  #stop(reason: unknown): void {
    const kind =
      typeof reason === "object" && reason !== null && !isProxy(reason) ? Reflect.get(reason, "kind") : reason;
    if (kind !== undefined && typeof kind !== "string") this.#ctx.stop(reason as never);
  }
}

function isProxy(value: object): boolean {
  try {
    return Object.getPrototypeOf(value) === undefined;
  } catch {
    return true;
  }
}

/** They are found by their own names, and called on what they are of. */
function methodsOf(ctx: ActorContext): Record<string, unknown> {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(ctx)).filter(
    ([, { value }]) => typeof value === "function",
  );
  return Object.fromEntries(methods.map(([name, { value }]) => [name, value.bind(ctx)]));
}

const HINTS: Readonly<Record<string, readonly unknown[]>> = {
  method: ["echo", "heard", "fail", "nowhere"],
  trap: [true],
  monitor: [1, 2],
  name: ["peer", "default", "where"],
  timeoutMs: [0, 1, 50, 3_000],
  task: [1],
  delayMs: [1, 1_000],
  periodMs: [1_000],
  level: ["info", "error", "silent"],
  transfer: [[]],
  transferList: [[]],
};
