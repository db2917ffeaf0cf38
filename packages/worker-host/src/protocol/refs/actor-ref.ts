import { ActorError } from "../errors/errors.js";
import { INSPECT } from "../errors/inspect-error.js";
import { joinStacks, rejectionOf } from "../errors/remote-error.js";
import { shownMethod } from "../errors/show-value.js";
import { hashKey, type RouteKey } from "../memory/routing.js";
import type { ActorStats } from "./actor-stats.js";
import type {
  CastResult,
  Cloneable,
  CloneableArgs,
  MethodArgs,
  MethodName,
  MethodReply,
  Remote,
  RepliesOnce,
  StreamItem,
  StreamName,
  Transferable,
  Unstreamed,
} from "./actor-types.js";
import { ItemStream } from "./item-stream.js";
import { mergeOptions, type RefOptions } from "./ref-options.js";
import { noproc } from "./refusal.js";
import { createRemote, RemoteMethods } from "./remote.js";
import type { StreamReader } from "./stream-reader.js";

/** How a pool runs a task. */
export interface RunOptions {
  /** Aborting it rejects the task with ERR_CALL_ABORTED, and ends it where it stands. */
  readonly signal?: AbortSignal | undefined;
  /** Objects in the task that change hands instead of being copied. */
  readonly transferList?: readonly Transferable[] | undefined;
  /** The export of the pool's module to run. Default: its default export. */
  readonly name?: string | undefined;
}

/** The same between threads. */
export interface TaskOptions extends RunOptions {
  /** It waits for its turn where the queue is full too, because there are few of its kind. */
  readonly waits?: boolean | undefined;
}

/** A connection from this thread to one slot; what is in it is the sender's business. */
export interface Connection {
  readonly id: string;
}

/** What a thread does for the references it holds. */
export interface Sender {
  /** Of the actor whose thread this is; main has one too. */
  readonly uid?: number;
  /** Why no actor is there any more, where it is known: the system has stopped. */
  readonly whyGone?: string | undefined;
  /** The memory of the slot at this address. A sender that has it connects to slots: see RouterRef. */
  wordsAt?(address: number): Int32Array;
  /** Where another thread chooses the members of routers: the sender for a router's messages. */
  routing?(keyHash: number | undefined): Sender;
  /** Of such a sender: what goes to all members. */
  toAll?(
    what: "broadcast" | "callAll",
    to: Connection,
    method: string,
    args: unknown[],
    options: RefOptions,
  ): Promise<unknown>;
  /** Main only: the reference that it has given out for this uid. */
  ownRef?(uid: number): ActorRef | undefined;
  ownPool?(uid: number): object | undefined;
  /** Runs a task in the pool of this uid. */
  runTask?(uid: number, id: string, task: unknown, options: TaskOptions): Promise<unknown>;
  /** Runs a task whose items `reader` reads. */
  streamTask?(uid: number, id: string, task: unknown, options: RunOptions, reader: StreamReader): void;
  connect(address: number, uid: number, id: string): Connection;
  call(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<unknown>;
  /** A call without a promise of the sender's own: `settle` or `fail` is called exactly once, perhaps before it returns. */
  request?(
    to: Connection,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): unknown;
  /** Opens the stream that `reader` reads. What fails at once is thrown, or fails the reader. */
  openStream?(to: Connection, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void;
  callSync(to: Connection, method: string, args: unknown[], options: RefOptions): unknown;
  cast(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<void>;
  castSync(to: Connection, method: string, args: unknown[], options: RefOptions): void;
  tryCast(to: Connection, method: string, args: unknown[], options: RefOptions): CastResult;
  send(to: Connection, message: unknown, options: RefOptions): Promise<void>;
  /** Main only. */
  stats?(uid: number, address: number): ActorStats | undefined;
}

const DEFAULTS: RefOptions = Object.freeze({});

const ignore = (): void => {};
let lastSettle: (value: unknown) => void;
const keepSettle = (settle: (value: unknown) => void): void => {
  lastSettle = settle;
};

/**
 * Where to send messages to one actor, in any thread. A message value: it can be sent to another actor and
 * used there. It names the actor's slot, so it stays valid over restarts.
 */
export class ActorRef<A = any> {
  /** Path from the root, as `root/ingest/hasher`. */
  readonly id: string;
  /** @internal */
  readonly address: number;
  /** @internal */
  readonly uid: number;
  readonly #sender: Sender;
  readonly #options: RefOptions;
  #to: Connection | undefined;
  #remoteMethods: RemoteMethods | undefined;

  /** @internal */
  constructor(sender: Sender, address: number, uid: number, id: string, options: RefOptions = DEFAULTS) {
    this.id = id;
    this.address = address;
    this.uid = uid;
    this.#sender = sender;
    this.#options = options;
  }

  /**
   * Asks and waits for the reply. Always settles: with the reply, or rejects with ERR_CALL_TIMEOUT, ERR_NOPROC,
   * ERR_CALL_EXIT (`reason` is the callee's exit reason), ERR_CALL_ABORTED, ERR_CALLING_SELF, ERR_CALL_CYCLE,
   * ERR_MAILBOX_FULL, ERR_NOT_CLONEABLE, ERR_UNKNOWN_METHOD, or the handler's ReplyError. Does not block.
   */
  call<M extends MethodName<A>, P extends MethodArgs<A, M>>(
    method: M & Unstreamed<A, M>,
    ...args: P & CloneableArgs<P>
  ): Promise<MethodReply<A, M>> {
    return this.#call(method, args) as Promise<MethodReply<A, M>>;
  }

  /**
   * Reads what the handler yields: an async generator, or a `ReadableStream` that it returns. The first `next()` opens
   * the stream. The producer is ahead of the reader by a bounded number of items, so a slow reader slows it. `break`,
   * `return()` and `with({ signal })` end the generator, whose `finally` runs. Between two items the actor handles other
   * messages.
   *
   * Ends with the generator, or `next()` rejects: with what the generator throws, with ERR_CALL_EXIT when the actor ends,
   * is restarted, stopped or upgraded, with ERR_CALL_TIMEOUT when the handler has not begun within `timeoutMs`, with
   * ERR_NO_STREAM when it returns something else, ERR_NOT_CLONEABLE for an item that no message can carry, and with
   * the codes of `call`. Items that have come are read before an error. Does not block.
   */
  stream<M extends StreamName<A> | RepliesOnce<"ref.call(method)">, P extends MethodArgs<A, M>>(
    method: M,
    ...args: P & CloneableArgs<P>
  ): AsyncIterableIterator<StreamItem<A, M>, undefined, undefined> & AsyncDisposable {
    const name = method as string;
    return new ItemStream<StreamItem<A, M>>(this.id, (reader) => {
      const sender = this.#sender;
      if (sender.openStream === undefined) throw outOfReach(this.id, name);
      sender.openStream(this.#connection(), name, args, this.#options, reader);
    });
  }

  /**
   * Sends without waiting for the handler. Resolves once the mailbox accepted the message, which is the
   * back-pressure: under `overflow: "block"` an actor's thread waits right here, main's promise stays pending.
   * Rejects with ERR_MAILBOX_FULL, ERR_NOPROC, ERR_NOT_CLONEABLE or ERR_MESSAGE_TOO_LARGE.
   */
  cast<M extends MethodName<A>, P extends MethodArgs<A, M>>(
    method: M & Unstreamed<A, M>,
    ...args: P & CloneableArgs<P>
  ): Promise<void> {
    return this.#sender.cast(this.#connection(), method, args, this.#options);
  }

  /** Sends if there is room, at once: "ok", "full", or "closed" for an actor that is stopping or gone. */
  tryCast<M extends MethodName<A>, P extends MethodArgs<A, M>>(
    method: M & Unstreamed<A, M>,
    ...args: P & CloneableArgs<P>
  ): CastResult {
    return this.#sender.tryCast(this.#connection(), method, args, this.#options);
  }

  /** Like `cast`, to the actor's `info`. */
  send<T>(message: T & Cloneable<T>): Promise<void> {
    return this.#sender.send(this.#connection(), message, this.#options);
  }

  /** Like `call`, blocking the actor's thread until the reply is there. On main it throws ERR_WRONG_THREAD. */
  callSync<M extends MethodName<A>, P extends MethodArgs<A, M>>(
    method: M & Unstreamed<A, M>,
    ...args: P & CloneableArgs<P>
  ): MethodReply<A, M> {
    try {
      return this.#sender.callSync(this.#connection(), method, args, this.#options) as MethodReply<A, M>;
    } catch (error) {
      throw joinStacks(error, this.id);
    }
  }

  /** Like `cast`, blocking the actor's thread until accepted. On main it throws ERR_WRONG_THREAD. */
  castSync<M extends MethodName<A>, P extends MethodArgs<A, M>>(
    method: M & Unstreamed<A, M>,
    ...args: P & CloneableArgs<P>
  ): void {
    this.#sender.castSync(this.#connection(), method, args, this.#options);
  }

  /** The same actor with other defaults for its calls. Throws ERR_INVALID_OPTION. */
  with(options: RefOptions): ActorRef<A> {
    const all = mergeOptions(this.id, this.#options, options);
    return new ActorRef<A>(this.#sender, this.address, this.uid, this.id, all);
  }

  /**
   * The member of a router for this key; of a single actor, this reference. So a name can lead to an actor today and to
   * a router of such actors tomorrow. Throws ERR_INVALID_OPTION for what is no string, finite number or bigint.
   */
  forKey(key: RouteKey): ActorRef<A> {
    hashKey(key);
    return this;
  }

  /**
   * A `Comlink.Remote` of the actor: `await ref.proxy().hash("x")` is `await ref.call("hash", "x")`, through the same
   * mailbox, and settles as that does. Arguments and replies may be `Comlink.proxy` and `Comlink.transfer` values; a
   * callback runs in the thread that it was given in.
   */
  proxy(): Remote<A> {
    this.#remoteMethods ??= new RemoteMethods((method, args, transfer) =>
      transfer === undefined
        ? this.#call(method, args)
        : this.with({ transfer: [...(this.#options.transfer ?? []), ...transfer] }).#call(method, args),
    );
    return createRemote(this.#remoteMethods) as Remote<A>;
  }

  /**
   * The actor's numbers, read from shared memory. Throws ERR_NOPROC for what is gone for good, and on an actor's thread
   * ERR_WRONG_THREAD.
   */
  stats(): ActorStats {
    if (this.#sender.stats === undefined) {
      throw new ActorError("ERR_WRONG_THREAD", `id=${this.id}: stats() is for the main thread`, { id: this.id });
    }
    const stats = this.#sender.stats(this.uid, this.address);
    if (stats === undefined) throw noproc(this, "stats", this.#sender.whyGone);
    return stats;
  }

  /** `ActorRef(root/ingest/hasher)`, in a template as in `util.inspect` and `console.log`. */
  toString(): string {
    return `ActorRef(${this.id})`;
  }

  toJSON(): string {
    return `ActorRef(${this.id})`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  #call(method: string, args: unknown[]): Promise<unknown> {
    const sender = this.#sender;
    if (sender.request === undefined) return this.#callBySender(method, args);
    const { id } = this;
    const reply = new Promise(keepSettle);
    const settle = lastSettle;
    try {
      sender.request(this.#connection(), method, args, this.#options, settle, (error) =>
        settle(rejectionOf(error, id)),
      );
    } catch (error) {
      // The call may be open by now; its outcome is not awaited.
      reply.catch(ignore);
      return Promise.reject(joinStacks(error, id));
    }
    return reply;
  }

  async #callBySender(method: string, args: unknown[]): Promise<unknown> {
    try {
      return await this.#sender.call(this.#connection(), method, args, this.#options);
    } catch (error) {
      throw joinStacks(error, this.id);
    }
  }

  #connection(): Connection {
    this.#to ??= this.#sender.connect(this.address, this.uid, this.id);
    return this.#to;
  }
}

function outOfReach(id: string, method: string): ActorError {
  return new ActorError("ERR_WRONG_THREAD", `id=${id} method=${shownMethod(method)}: an actor is out of reach here`, {
    id,
  });
}

/**
 * What `child<T>`, `restartChild<T>` and `whereis<T>` lead to. `T` is the type of an actor's definition (`typeof X`), or
 * else that of the reference itself: `RouterRef<typeof X>`, `SupervisorRef`, what a resource's `start` returns.
 */
export type RefOf<T> = 0 extends 1 & T ? ActorRef : T extends { readonly handlers: any } ? ActorRef<T> : T;
