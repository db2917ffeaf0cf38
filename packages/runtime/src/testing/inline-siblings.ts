import type { SpawnSpec } from "@mini-otp/worker-host";
import { handedOnce } from "@mini-otp/worker-host/loop";
import { type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { oneOf, takeArgument } from "@mini-otp/worker-host/protocol/options";
import { type ActorRef, alreadyStarted } from "@mini-otp/worker-host/protocol/refs";
import type { RestartType } from "../supervision/child.js";

/** A light actor on the calling thread. */
export interface InlineSibling {
  readonly id: string;
  readonly exited: Promise<ExitReason>;
  launch(): void;
  stop(reason: ExitReason): Promise<ExitReason>;
}

/** Makes a light actor of the template. */
export type CreateSibling<S> = (
  args: unknown,
  spec: { readonly id: string; readonly restart: RestartType },
  handed: unknown,
) => S;

const aRestart = oneOf("permanent", "transient", "temporary");

/** The light actors that share the calling thread: the one that was run, and those that were spawned. */
export class InlineSiblings<S extends InlineSibling> {
  readonly #restart: RestartType;
  readonly #create: CreateSibling<S>;
  readonly #members = new Map<string, S>();
  #lastNumber = 0;

  /** `restart` is the template's. */
  constructor(restart: RestartType, create: CreateSibling<S>) {
    this.#restart = restart;
    this.#create = create;
  }

  /** Those that have not ended, in the order of their start. */
  get all(): readonly S[] {
    return [...this.#members.values()];
  }

  add(member: S): void {
    const { id } = member;
    this.#members.set(id, member);
    void member.exited.then(() => {
      if (this.#members.get(id) === member) this.#members.delete(id);
    });
  }

  /** Returns at once. Throws ERR_ALREADY_STARTED, ERR_INVALID_OPTION, ERR_NOT_CLONEABLE. */
  spawn({ id = this.#freeId(), args, restart }: SpawnSpec, hand: unknown, refTo: (member: S) => ActorRef): ActorRef {
    const kind = restart === undefined ? this.#restart : takeArgument("ctx.spawn", "restart", restart, aRestart);
    if (hand !== undefined && kind !== "temporary") throw handedOnce("ctx.spawn", hand);
    const present = this.#members.get(id);
    if (present !== undefined) throw alreadyStarted(id, refTo(present));
    const member = this.#create(args, { id, restart: kind }, hand);
    this.add(member);
    member.launch();
    return refTo(member);
  }

  /** Ends all of them, each in order. */
  async end(): Promise<void> {
    await Promise.all(this.all.map((member) => member.stop(SHUTDOWN)));
  }

  #freeId(): string {
    let id: string;
    do id = `child-0-${++this.#lastNumber}`;
    while (this.#members.has(id));
    return id;
  }
}
