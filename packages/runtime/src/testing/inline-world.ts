import type { Peer } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, shownMethod } from "@mini-otp/worker-host/protocol/errors";
import type {
  ActorRef,
  ActorStats,
  CastResult,
  Connection,
  Destination,
  PoolRef,
  RefOptions,
  RunOptions,
  Sender,
  StreamReader,
  TaskOptions,
} from "@mini-otp/worker-host/protocol/refs";
import { noStreams, uncloneableFor } from "@mini-otp/worker-host/protocol/refs";
import { Codec } from "@mini-otp/worker-host/protocol/values";
import type { MainOutbox } from "../messaging/main-outbox.js";
import { ActorSystem } from "../system/actor-system.js";
import { latestTestSystem } from "./test-system.js";

/** The address of every inline actor: no slot of a system has it. */
export const INLINE_ADDRESS = -1;

/** The target of a reference to an inline actor. */
export interface InlineTarget {
  readonly uid: number;
  readonly id: string;
  readonly name: string | undefined;
  /** Its own: references that it is sent belong to it. */
  readonly sender: InlineSender;
  /** References in replies belong to `from`. */
  call(method: string, args: unknown[], options: RefOptions, from: InlineSender): Promise<unknown>;
  openStream(method: string, args: unknown[], options: RefOptions, reader: StreamReader, from: InlineSender): void;
  /** False: the actor accepts no more messages. */
  accept(method: string, args: unknown[]): boolean;
  acceptInfo(message: unknown): boolean;
  stats(): ActorStats;
}

const targets = new Map<number, InlineTarget>();
let lastUid = 0;

export function nextInlineUid(): number {
  return ++lastUid;
}

export function enterWorld(target: InlineTarget): void {
  targets.set(target.uid, target);
}

/** The actor has stopped for good: its name is free, and references to it lead nowhere. */
export function leaveWorld({ uid }: InlineTarget): void {
  targets.delete(uid);
}

export function isInline(ref: ActorRef | PoolRef): boolean {
  return "address" in ref && ref.address === INLINE_ADDRESS;
}

export function inlineTarget(ref: ActorRef | PoolRef): InlineTarget | undefined {
  return isInline(ref) ? targets.get(ref.uid) : undefined;
}

export function inlineByName(name: string): InlineTarget | undefined {
  return [...targets.values()].findLast((target) => target.name === name);
}

interface InlineConnection extends Connection {
  readonly uid: number;
  /** Present for an actor that has a thread. */
  readonly foreign: { readonly sender: Sender; readonly to: Connection } | undefined;
}

/** A connection to an actor of a system, with the words by which the reference of a router chooses a member. */
class ForeignConnection implements InlineConnection {
  readonly uid: number;
  readonly id: string;
  readonly address: number;
  readonly foreign: { readonly sender: Sender; readonly to: Peer };

  constructor(sender: Sender, to: Peer) {
    this.uid = to.uid;
    this.id = to.id;
    this.address = to.address;
    this.foreign = { sender, to };
  }

  get words(): Int32Array {
    return this.foreign.to.words;
  }

  get unsent(): Peer["unsent"] {
    return this.foreign.to.unsent;
  }
}

/**
 * Sends to actors on this thread. It copies arguments as messages do, so a value that no message can carry is refused
 * here too. References to actors of a system lead to the test system that was started last.
 */
export class InlineSender implements Sender {
  readonly codec = new Codec(this);
  readonly #ownUid: number | undefined;
  readonly #isLight: boolean;
  /** What the sending actor reads. */
  readonly #streams = new Set<StreamReader>();

  /** `ownUid` is the uid of the sending actor; main has none. A light actor reads no streams. */
  constructor(ownUid?: number, isLight = false) {
    this.#ownUid = ownUid;
    this.#isLight = isLight;
  }

  connect(address: number, uid: number, id: string): InlineConnection {
    if (address === INLINE_ADDRESS) return { uid, id, foreign: undefined };
    const outbox = outboxFor(id);
    return new ForeignConnection(outbox, outbox.connect(address, uid, id));
  }

  /** For routers, which always belong to a system. */
  wordsAt(address: number): Int32Array {
    return outboxFor("a router").wordsAt(address);
  }

  async runTask(uid: number, id: string, task: unknown, options: TaskOptions): Promise<unknown> {
    return outboxFor(id).runTask(uid, id, task, options);
  }

  streamTask(uid: number, id: string, task: unknown, options: RunOptions, reader: StreamReader): void {
    if (this.#isLight) throw noStreams(id, "stream");
    outboxFor(id).streamTask(uid, id, task, options, reader);
  }

  async call(to: InlineConnection, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    requireMethod(method);
    const { foreign } = to;
    if (foreign !== undefined) return foreign.sender.call(foreign.to, method, args, options);
    if (to.uid === this.#ownUid) throw callingSelf(to, method);
    return this.#target(to, method).call(method, this.#copyFor(to, method, args, options), options, this);
  }

  openStream(to: InlineConnection, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    requireMethod(method);
    if (this.#isLight) throw noStreams(to.id, method);
    const { foreign } = to;
    if (foreign !== undefined) foreign.sender.openStream?.(foreign.to, method, args, options, reader);
    else if (to.uid === this.#ownUid) throw callingSelf(to, method);
    else {
      const copied = this.#copyFor(to, method, args, options);
      this.#target(to, method).openStream(method, copied, options, reader, this);
    }
    if (this.#ownUid === undefined) return;
    for (const open of this.#streams) if (!open.isOpen) this.#streams.delete(open);
    this.#streams.add(reader);
  }

  /** The sending actor has ended: it reads no further. */
  cancelStreams(): void {
    for (const reader of this.#streams) reader.cancel();
    this.#streams.clear();
  }

  async cast(to: InlineConnection, method: string, args: unknown[], options: RefOptions): Promise<void> {
    requireMethod(method);
    const { foreign } = to;
    if (foreign !== undefined) return foreign.sender.cast(foreign.to, method, args, options);
    const copied = this.#copyFor(to, method, args, options);
    if (!this.#target(to, method).accept(method, copied)) throw noproc(to.id, method, "stopped or never restarted");
  }

  tryCast(to: InlineConnection, method: string, args: unknown[], options: RefOptions): CastResult {
    requireMethod(method);
    const { foreign } = to;
    if (foreign !== undefined) return foreign.sender.tryCast(foreign.to, method, args, options);
    const copied = this.#copyFor(to, method, args, options);
    return targets.get(to.uid)?.accept(method, copied) === true ? "ok" : "closed";
  }

  async send(to: InlineConnection, message: unknown, options: RefOptions): Promise<void> {
    const { foreign } = to;
    if (foreign !== undefined) return foreign.sender.send(foreign.to, message, options);
    const [copied] = this.#copyFor(to, "info", [message], options);
    if (!this.#target(to, "info").acceptInfo(copied)) throw noproc(to.id, "info", "stopped or never restarted");
  }

  callSync({ id }: InlineConnection, method: string): never {
    const message = `id=${id} method=${shownMethod(method)}: callSync blocks its thread, which inline is the callee's too; use call`;
    throw new ActorError("ERR_WRONG_THREAD", message, { id });
  }

  castSync({ id }: InlineConnection, method: string): never {
    const message = `id=${id} method=${shownMethod(method)}: castSync blocks its thread, which inline is the receiver's too; use cast`;
    throw new ActorError("ERR_WRONG_THREAD", message, { id });
  }

  stats(uid: number): ActorStats | undefined {
    return targets.get(uid)?.stats();
  }

  /** The arguments as their receiver gets them: references among them belong to it. Throws ERR_NOT_CLONEABLE. */
  copyArgs(
    args: readonly unknown[],
    transfer: RefOptions["transfer"],
    to: Destination,
    receiver: InlineSender = this,
  ): unknown[] {
    const list = transfer === undefined || transfer.length === 0 ? undefined : transfer;
    try {
      const payload = this.codec.encodeArgs(args, list);
      return receiver.codec.decodeArgs(payload, moved(list));
    } catch (error) {
      throw uncloneableFor(to, error);
    }
  }

  #copyFor({ uid, id }: InlineConnection, method: string, args: unknown[], { transfer }: RefOptions): unknown[] {
    return this.copyArgs(args, transfer, { id, method }, targets.get(uid)?.sender);
  }

  #target(to: InlineConnection, method: string): InlineTarget {
    const target = targets.get(to.uid);
    if (target === undefined) throw noproc(to.id, method, "stopped, or not of this thread");
    return target;
  }
}

function callingSelf({ id }: Connection, method: string): ActorError {
  const message = `id=${id} method=${method}: an actor that calls itself would wait for ever`;
  return new ActorError("ERR_CALLING_SELF", message, { id, method });
}

/** The objects of a transfer list as their receiver gets them. Throws when one cannot change hands. */
export function moved(transfer: RefOptions["transfer"] = []): unknown[] {
  return transfer.length === 0 ? [] : structuredClone([...transfer], { transfer: [...transfer] as never });
}

/** The outbox of the system that `id` must belong to. */
function outboxFor(id: string): MainOutbox {
  const system = latestTestSystem();
  if (system === undefined) throw noproc(id, undefined, "no test system runs that it could be of");
  return ActorSystem.actorsOf(system).outbox;
}

/** Refuses what is refused in threads too, where names are interned. */
function requireMethod(method: unknown): void {
  if (typeof method === "string" && method !== "") return;
  throw new ActorError("ERR_UNKNOWN_METHOD", `method=${shownMethod(method)}: a method name is a text`, {
    method: shownMethod(method),
  });
}

export function noproc(id: string, method: string | undefined, why: string): ActorError {
  const [words, facts] = method === undefined ? ["", { id }] : [` method=${method}`, { id, method }];
  return new ActorError("ERR_NOPROC", `id=${id}${words}: no such actor (${why})`, facts);
}
