import type { Peer } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { cellOf, isCellAddress } from "@mini-otp/worker-host/protocol/memory";
import {
  ActorRef,
  EntityRef,
  FarRouterRef,
  noproc,
  type PoolRef,
  processOf,
  RouterRef,
  unmarked,
} from "@mini-otp/worker-host/protocol/refs";
import {
  CLOSED,
  fillPayload,
  isLargeEnoughForBytes,
  isWithoutReferences,
  newPayload,
  type Payload,
  PUSHED,
  payloadOfBytes,
} from "@mini-otp/worker-host/protocol/ring";
import { Codec, type Encoded, encodeForeign, type ForeignReferences } from "@mini-otp/worker-host/protocol/values";
import type { DeadLetterCause, SystemEvent } from "../reporting/events.js";
import type { Log } from "../reporting/log.js";
import type { NodeEvent } from "../reporting/node-events.js";
import type { Process, RemoteSignals } from "../signals/process-signals.js";
import type { ResourceContext } from "../supervision/child-spec.js";
import { ActorSystem } from "../system/actor-system.js";
import type { Actors } from "../system/actors.js";
import { type GuestMessage, GuestSlot, type GuestSlotOptions } from "./guest-slot.js";

/** Its `id` has its node before the path: `b:root/prices`. */
export interface GuestOptions extends GuestSlotOptions {
  readonly signals: RemoteSignals;
}

/** What stands in a system for one actor or router of another node. */
export class Guest {
  readonly ref: ActorRef;
  readonly slot: GuestSlot;
  readonly #actors: Actors;
  readonly #process: Process;
  readonly #leave: (reason: ExitReason) => void;

  /** @internal */
  constructor(actors: Actors, { signals, ...options }: GuestOptions) {
    const { id } = options;
    this.#actors = actors;
    this.slot = new GuestSlot(actors, options);
    const { address, uid } = this.slot.slot;
    this.ref = new ActorRef(actors.outbox, address, uid, id);
    this.#process = {
      id,
      ref: this.ref,
      // Neither is asked of it: its exit signals go to `signals.exit`, and its partners' ends are told by its node.
      kill: () => {},
      info: () => {},
      remote: signals,
    };
    this.#leave = actors.attach(this.ref.uid, this.#process);
    this.#trap();
  }

  /** The life that was watched is over: each watcher is told once. It may be watched again. */
  lifeEnded(reason: ExitReason): void {
    this.#actors.signals.ended(this.#process, reason)();
    this.#actors.signals.started(this.#process, true);
  }

  /** As it has asked for on its own node. */
  signal(request: "link" | "unlink", to: ActorRef): void;
  signal(request: "exit", to: ActorRef, reason: ExitReason | "kill"): void;
  signal(request: "link" | "unlink" | "exit", to: ActorRef, reason?: ExitReason | "kill"): void {
    const { address, uid, id } = processOf(to) as ActorRef;
    const target = { address, uid, id };
    const { signals, outbox } = this.#actors;
    if (request !== "exit") signals.handle(this.#process, { type: request, target });
    else if (reason !== undefined)
      signals.handle(this.#process, {
        type: "exit",
        target,
        reason: reason === "kill" ? reason : encodeForeign(outbox.codec, reason),
      });
  }

  /** It is gone for good. Its slot has been closed. */
  dispose(reason: ExitReason): void {
    this.#leave(reason);
    this.slot.release();
  }

  /** It stands for one that traps exits: a signal keeps its reason until it is there. */
  #trap(): void {
    this.#actors.signals.started(this.#process, true);
  }
}

/** The system in which a resource is started. */
export function systemOf(context: ResourceContext): ActorSystem | undefined {
  return ActorSystem.ofResource(context);
}

/** What is larger is passed on from where it is. */
const MAX_COPIED_BYTES = 1024;
/** Where a method has no number here its name goes along. */
const MAX_METHOD_BYTES = 256;

const NO_TIMEOUT = { timeoutMs: Infinity };

/** A call that was passed on. */
export class ForwardedCall {
  readonly #outbox: Actors["outbox"];
  readonly #peer: Peer;
  readonly #correlation: number;

  /** @internal */
  constructor(outbox: Actors["outbox"], peer: Peer, correlation: number) {
    this.#outbox = outbox;
    this.#peer = peer;
    this.#correlation = correlation;
  }

  /**
   * False when it is in the mailbox, or has failed. Else it waits for room, what is sent later must not pass it, and `listener` is
   * called when it is so.
   */
  waits(listener: () => void): boolean {
    return this.#outbox.whenEntered(this.#correlation, listener);
  }

  /** The caller has given it up. */
  abort(): void {
    const { id } = this.#peer;
    const error = new ActorError("ERR_CALL_ABORTED", `id=${id}: its caller has given it up`, { id });
    this.#outbox.giveUp(this.#correlation, this.#peer, error);
  }
}

/** What a cluster sees of a system. */
export class Guests {
  /** Never throws, whatever the application's logger does. */
  readonly logger: Pick<Log, "warn" | "error">;
  readonly #forwarded = newPayload(MAX_COPIED_BYTES);
  readonly #system: ActorSystem;
  readonly #actors: Actors;

  constructor(system: ActorSystem) {
    this.#system = system;
    this.#actors = ActorSystem.actorsOf(system);
    this.logger = this.#actors.log;
  }

  open(options: GuestOptions): Guest {
    return new Guest(this.#actors, options);
  }

  /** Makes bytes that leave the process, and values of those that come. */
  codec(references: ForeignReferences): Codec {
    return new Codec(this.#actors.outbox, references);
  }

  /** The actor, router or probe of this system that a reference means; undefined for what is gone, or of elsewhere. */
  own(uid: number): ActorRef | undefined {
    const { directory } = this.#actors;
    return directory.actor(uid)?.ref ?? directory.router(uid)?.ref ?? this.#actors.attached(uid);
  }

  /** The member of a router of this system for the key with this hash. */
  ownForKey(router: ActorRef, keyHash: number): ActorRef {
    return new RouterRef(this.#actors.outbox, router.address, router.uid, router.id, {}, keyHash);
  }

  /** All that live behind this guest, each with a key of its own: `forKey` leads to one. */
  entities({ address, uid, id }: ActorRef): EntityRef {
    return new EntityRef(this.#actors.outbox, address, uid, id);
  }

  /** The reference to a router that this guest stands for. */
  farRouter({ address, uid, id }: ActorRef): FarRouterRef {
    return new FarRouterRef(this.#actors.outbox, address, uid, id);
  }

  /** What has come to a guest that stands for a router: the hash of the key that it is for, and the arguments without it. */
  unmarked(
    { uid }: ActorRef,
    { kind, args }: GuestMessage,
  ): { readonly keyHash: number | undefined; readonly args: unknown[] } {
    return unmarked(uid, kind === "send", args);
  }

  /** A reference to what is gone. */
  gone(id: string): ActorRef {
    return new ActorRef(this.#actors.outbox, this.#actors.outbox.self.address, 0, id);
  }

  /** The hash of its key, for a reference to a router's member; undefined for a reference to the router itself. */
  keyHashOf(ref: ActorRef | PoolRef): number | undefined {
    return ref instanceof RouterRef || ref instanceof FarRouterRef ? ref.keyHash : undefined;
  }

  /** Whether it means one life of a light actor, or whichever has its id; undefined for what is not light. */
  light({ address }: ActorRef): "life" | "id" | undefined {
    if (!isCellAddress(address)) return undefined;
    return cellOf(address) === 0 ? "id" : "life";
  }

  /** Whether a light actor lives, or is between two lives. */
  livesLight(ref: ActorRef): boolean {
    return this.#actors.lights.lives(ref);
  }

  isRouter(ref: ActorRef): boolean {
    return ref instanceof RouterRef;
  }

  /** ERR_NOPROC for a message that is not accepted. */
  refusal({ id }: ActorRef, method: string): ActorError {
    return noproc({ id }, method);
  }

  deadLetter(id: string, method: string, why: DeadLetterCause, reason?: ExitReason): void {
    this.#actors.deadLetters.add(id, method, why, reason);
  }

  /** Whether senders wait while its mailbox is full. */
  blocks({ address, uid, id }: ActorRef): boolean {
    return this.#actors.outbox.connect(address, uid, id).overflow === "block";
  }

  /**
   * Passes a message on that holds no reference, without a look into it: `"ok"`, `"closed"`, or undefined when it is to be
   * sent by the other ways.
   */
  forwardCast(ref: ActorRef, method: string, content: Encoded): "ok" | "closed" | undefined {
    const payload = this.#forwardable(ref, content);
    if (payload === undefined) return undefined;
    const outcome = this.#actors.outbox.forward(this.#connect(ref), method, payload);
    return outcome === PUSHED ? "ok" : outcome === CLOSED ? "closed" : undefined;
  }

  /** As `forwardCast`, a call: as `call`. `settle` may get an `EncodedReply`. */
  forwardCall(
    ref: ActorRef,
    method: string,
    content: Encoded,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): ForwardedCall | undefined {
    const payload = this.#forwardable(ref, content);
    if (payload === undefined) return undefined;
    const peer = this.#connect(ref);
    const { outbox } = this.#actors;
    return new ForwardedCall(outbox, peer, outbox.requestEncoded(peer, method, payload, NO_TIMEOUT, settle, fail));
  }

  #connect({ address, uid, id }: ActorRef): Peer {
    return this.#actors.outbox.connect(address, uid, id);
  }

  #forwardable(ref: ActorRef, { format, bytes }: Encoded): Payload | undefined {
    // A light actor's mailbox is a count beside its partition's ring: its reference knows how.
    if (ref instanceof RouterRef || isCellAddress(ref.address) || !isWithoutReferences(format)) return undefined;
    const { length } = bytes;
    if (length + MAX_METHOD_BYTES > this.#connect(ref).mailbox.maxPayloadBytes) return undefined;
    return isLargeEnoughForBytes(length)
      ? payloadOfBytes(bytes, format, false)
      : fillPayload(this.#forwarded, format, bytes);
  }

  /** Calls without a timeout: `settle` or `fail` is called once. Returns what `ForwardedCall.waits` is. */
  call(
    ref: ActorRef,
    method: string,
    args: unknown[],
    signal: AbortSignal,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): (listener: () => void) => boolean {
    const options = { timeoutMs: Infinity, signal };
    if (ref instanceof RouterRef || isCellAddress(ref.address)) {
      ref
        .with(options)
        .call(method, ...args)
        .then(settle, fail);
      return () => false;
    }
    const peer = this.#actors.outbox.connect(ref.address, ref.uid, ref.id);
    const { outbox } = this.#actors;
    const correlation = outbox.request(peer, method, args, options, settle, fail);
    return (listener) => outbox.whenEntered(correlation, listener);
  }

  /** Tells the listeners of the system's events. Never throws. */
  tell(event: NodeEvent): void {
    this.#actors.events.emit({ ...event, id: this.#system.id, at: performance.now() } as SystemEvent);
  }

  /** Has `find` answer for names that this system does not have. */
  findNamesBy(find: ((name: string) => ActorRef | undefined) | undefined): void {
    this.#actors.findNamesBy(find);
  }

  /**
   * Called once, before the first thing that the system's `stop` ends. What it returns is called when all actors have
   * ended, and waited for: it sees to it that it ends.
   */
  beforeStop(hook: () => () => Promise<void>): void {
    ActorSystem.beforeStop(this.#system, hook);
  }
}
