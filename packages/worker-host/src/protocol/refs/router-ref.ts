// Over 350 lines: a router's reference, its sender and its view of the members know each other's parts, and nothing else does.
import { ActorError } from "../errors/errors.js";
import { invalidOption } from "../errors/invalid-option.js";
import { shownMethod } from "../errors/show-value.js";
import { callTimeoutOf } from "../memory/call-timeout.js";
import { membersVersion, readMembers, readRoute, takeTurn } from "../memory/router-table.js";
import {
  hashKey,
  leastLoadedMember,
  MAX_MEMBERS,
  memberForKey,
  memberInTurn,
  type RouteKey,
} from "../memory/routing.js";
import {
  HANDLED_SEQ,
  IDENTITY,
  IN_FLIGHT,
  identity,
  MAILBOX_LANE,
  NEXT_SEQ,
  STATE_MOVED,
  STATE_OPEN,
  uidOf,
} from "../memory/slot-descriptor.js";
import { ActorRef, type Connection, type Sender } from "./actor-ref.js";
import type { ActorStats } from "./actor-stats.js";
import type { CastResult, MethodArgs, MethodName, MethodReply } from "./actor-types.js";
import { EntityRef } from "./entity-ref.js";
import type { PoolRef } from "./pool-ref.js";
import { mergeOptions, type RefOptions } from "./ref-options.js";
import { noproc, wasRefused } from "./refusal.js";
import type { StreamReader } from "./stream-reader.js";

/** What one member of a router has answered: `id` is the member's path. */
export type MemberResult<T> =
  | { readonly id: string; readonly status: "fulfilled"; readonly value: T }
  | { readonly id: string; readonly status: "rejected"; readonly reason: unknown };

/**
 * One reference in front of a router's members: each message goes to one of them, chosen in the sender's own thread
 * from shared memory. A member that is restarting keeps its place, and its messages wait for it. One that is removed,
 * or has ended for good, gets none: what it had not accepted goes to another. A message value like any reference.
 */
export class RouterRef<A = any> extends ActorRef<A> {
  readonly #sender: Sender;
  readonly #routed: Sender;
  readonly #options: RefOptions;
  /** @internal 32 bits of the key, of what `forKey` returned. */
  readonly keyHash: number | undefined;

  /** @internal */
  constructor(sender: Sender, address: number, uid: number, id: string, options: RefOptions = {}, keyHash?: number) {
    const routed = sender.routing?.(keyHash) ?? new RoutedSender(sender, keyHash);
    super(routed, address, uid, id, options);
    this.#sender = sender;
    this.#routed = routed;
    this.#options = options;
    this.keyHash = keyHash;
  }

  override with(options: RefOptions): RouterRef<A> {
    const all = mergeOptions(this.id, this.#options, options);
    return new RouterRef<A>(this.#sender, this.address, this.uid, this.id, all, this.keyHash);
  }

  /**
   * The member for this key: the same for the same key in every thread and over all restarts. When members come or go,
   * only the keys move that have to. Throws ERR_INVALID_OPTION for what is no string, number or bigint.
   */
  override forKey(key: RouteKey): ActorRef<A> {
    return new RouterRef<A>(this.#sender, this.address, this.uid, this.id, this.#options, hashKey(key));
  }

  /**
   * Casts to every member. Resolves once all have accepted it; rejects with the first failure, after all had their
   * chance. A member that is going away is passed over.
   */
  async broadcast<M extends MethodName<A>>(method: M, ...args: MethodArgs<A, M>): Promise<void> {
    if (this.#sender.routing !== undefined) {
      await this.#toAll("broadcast", method, args);
      return;
    }
    const results = await Promise.allSettled(
      this.#everyone(method).map((member) => this.#sender.cast(member, method, args, this.#options)),
    );
    for (const result of results) {
      if (result.status === "rejected" && !wasRefused(result.reason)) throw result.reason;
    }
  }

  /** Calls every member. Resolves to what each has answered, in their order, when all calls have settled. */
  async callAll<M extends MethodName<A>>(
    method: M,
    ...args: MethodArgs<A, M>
  ): Promise<MemberResult<MethodReply<A, M>>[]> {
    if (this.#sender.routing !== undefined)
      return this.#toAll("callAll", method, args) as Promise<MemberResult<MethodReply<A, M>>[]>;
    return Promise.all(
      this.#everyone(method).map(async (member): Promise<MemberResult<MethodReply<A, M>>> => {
        const { id } = member;
        try {
          const value = await this.#sender.call(member, method, args, this.#options);
          return { id, status: "fulfilled", value: value as MethodReply<A, M> };
        } catch (reason) {
          return { id, status: "rejected", reason };
        }
      }),
    );
  }

  /** The sum of the members' numbers and each member's own; of a key's reference, its member's. */
  override stats(): ActorStats {
    const { address, uid, id } = this.keyHash === undefined ? this : this.process;
    return new ActorRef<A>(this.#sender, address, uid, id).stats();
  }

  override toString(): string {
    return `RouterRef(${this.id})`;
  }

  /** @internal Whom monitors, links and signals mean by it: a key's member of now; without a key, the router. */
  get process(): ActorRef<A> {
    if (this.keyHash === undefined) return this;
    const router = this.#router;
    const { address, uid, id } = router.findMember("process", this.keyHash) ?? {
      address: this.address,
      uid: NO_UID,
      id: this.id,
    };
    return new ActorRef<A>(this.#sender, address, uid, id);
  }

  #everyone(method: string): readonly Connection[] {
    if (this.#options.transfer !== undefined && this.#options.transfer.length > 0) {
      const allowed = "no transfer: what is transferred can go to one member only";
      const facts = {
        function: `id=${this.id} method=${method}`,
        field: "transfer",
        value: this.#options.transfer,
        allowed,
      };
      throw invalidOption(`id=${this.id} method=${method}: what is transferred can go to one member only`, facts);
    }
    return this.#router.everyone(method);
  }

  async #toAll(what: "broadcast" | "callAll", method: string, args: unknown[]): Promise<unknown> {
    const { address, uid, id } = this;
    return this.#routed.toAll?.(what, this.#routed.connect(address, uid, id), method, args, this.#options);
  }

  /** Not where another thread does the routing. */
  get #router(): Router {
    return this.#routed.connect(this.address, this.uid, this.id) as Router;
  }
}

/** A member that refuses is gone, and is not chosen again: there are no more refusals than members. */
const MOST_TRIES = MAX_MEMBERS + 1;

/** Sends each message to a member, and on to another when the member refuses it. */
class RoutedSender implements Sender {
  readonly #sender: Sender;
  readonly #keyHash: number | undefined;
  #router: Router | undefined;

  constructor(sender: Sender, keyHash: number | undefined) {
    this.#sender = sender;
    this.#keyHash = keyHash;
  }

  connect(address: number, uid: number, id: string): Router {
    this.#router ??= new Router(this.#sender, address, uid, id);
    return this.#router;
  }

  async call(to: Router, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    const { timeoutMs = to.callTimeoutMs } = options;
    const deadline = performance.now() + timeoutMs;
    let left = options;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.memberFor(method, this.#keyHash, this.#sender.uid);
      try {
        return await this.#sender.call(member, method, args, left);
      } catch (error) {
        if (!wasRefused(error)) throw error;
        left = { ...options, timeoutMs: Math.max(0, deadline - performance.now()) };
      }
    }
    throw noproc(to, method, this.#sender.whyGone);
  }

  openStream(to: Router, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    const sender = this.#sender;
    if (sender.openStream === undefined) throw noproc(to, method);
    let tries = 0;
    reader.retry = () => {
      if (++tries > MOST_TRIES) throw noproc(to, method);
      sender.openStream?.(to.memberFor(method, this.#keyHash, sender.uid), method, args, options, reader);
    };
    reader.retry();
  }

  callSync(to: Router, method: string, args: unknown[], options: RefOptions): unknown {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.memberFor(method, this.#keyHash, this.#sender.uid);
      try {
        return this.#sender.callSync(member, method, args, options);
      } catch (error) {
        if (!wasRefused(error)) throw error;
      }
    }
    throw noproc(to, method, this.#sender.whyGone);
  }

  async cast(to: Router, method: string, args: unknown[], options: RefOptions): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.memberFor(method, this.#keyHash);
      try {
        return await this.#sender.cast(member, method, args, options);
      } catch (error) {
        if (!wasRefused(error)) throw error;
      }
    }
    throw noproc(to, method, this.#sender.whyGone);
  }

  castSync(to: Router, method: string, args: unknown[], options: RefOptions): void {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.memberFor(method, this.#keyHash);
      try {
        this.#sender.castSync(member, method, args, options);
        return;
      } catch (error) {
        if (!wasRefused(error)) throw error;
      }
    }
    throw noproc(to, method, this.#sender.whyGone);
  }

  tryCast(to: Router, method: string, args: unknown[], options: RefOptions): CastResult {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.findMember(method, this.#keyHash);
      if (member === undefined) return "closed";
      const result = this.#sender.tryCast(member, method, args, options);
      if (result !== "closed") return result;
    }
    return "closed";
  }

  async send(to: Router, message: unknown, options: RefOptions): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const member = to.memberFor("info", this.#keyHash);
      try {
        return await this.#sender.send(member, message, options);
      } catch (error) {
        if (!wasRefused(error)) throw error;
      }
    }
    throw noproc(to, "info", this.#sender.whyGone);
  }
}

/** No process has this uid. */
const NO_UID = 0;

/** What `connect` of a sender that has slots returns. */
interface Member extends Connection {
  readonly address: number;
  readonly uid: number;
  /** The slot's memory, wherever it is now. */
  readonly words: Int32Array;
  /** This thread's messages that wait for room in its mailbox. */
  readonly unsent: { readonly length: number };
}

/** One thread's view of a router: its members as published last, and this thread's connections to them. */
class Router implements Connection {
  readonly id: string;
  readonly #words: Int32Array;
  readonly #sender: Sender;
  readonly #uid: number;
  readonly #isKeyed: boolean;
  readonly #isLeastLoaded: boolean;
  #members: readonly Member[] = [];
  #uids: readonly number[] = [];
  #version: number | undefined;
  #notUid: number | undefined;

  constructor(sender: Sender, address: number, uid: number, id: string) {
    this.id = id;
    this.#sender = sender;
    this.#uid = uid;
    if (sender.wordsAt === undefined)
      throw new ActorError("ERR_WRONG_THREAD", `id=${id}: a router is out of reach here`, { id });
    this.#words = sender.wordsAt(address);
    const route = readRoute(this.#words);
    this.#isKeyed = route === "consistent_hash";
    this.#isLeastLoaded = route === "least_loaded";
  }

  get callTimeoutMs(): number {
    return callTimeoutOf(this.#words);
  }

  everyone(method: string): readonly Connection[] {
    if (!this.#look()) throw noproc(this, method, this.#sender.whyGone);
    return this.#members.filter((_, member) => this.#isOpen(member));
  }

  /** `callerUid` is not chosen while there is another, because an actor cannot call itself. Throws ERR_NOPROC. */
  memberFor(method: string, keyHash: number | undefined, callerUid?: number): Connection {
    const member = this.findMember(method, keyHash, callerUid) ?? this.findMember(method, keyHash);
    if (member === undefined) throw noproc(this, method, this.#sender.whyGone);
    return member;
  }

  findMember(method: string, keyHash: number | undefined, callerUid?: number): Member | undefined {
    if (!this.#look()) return undefined;
    const words = this.#words;
    const { length } = this.#members;
    this.#notUid = keyHash === undefined ? callerUid : undefined;
    let member: number;
    if (keyHash !== undefined) member = memberForKey(keyHash, length, this.#isAvailable);
    else if (this.#isKeyed) throw keyMissing(this, method);
    else if (this.#isLeastLoaded) member = leastLoadedMember(takeTurn(words), length, this.#isAvailable, this.#loadOf);
    else member = memberInTurn(takeTurn(words), length, this.#isAvailable);
    return this.#members[member];
  }

  /** Takes the members in that were published since. False when the router is gone. */
  #look(): boolean {
    const words = this.#words;
    if (uidOf(words) !== this.#uid) return false;
    if (membersVersion(words) === this.#version) return true;
    const published = readMembers(words);
    // Those of before are still members, or refuse.
    if (published === undefined) return true;
    const { version, members } = published;
    this.#members = members.map(
      ({ address, uid }, i) => this.#sender.connect(address, uid, `${this.id}/${i}`) as Member,
    );
    this.#uids = members.map(({ uid }) => uid);
    this.#version = version;
    return true;
  }

  readonly #isAvailable = (member: number): boolean =>
    this.#isOpen(member) && (this.#notUid === undefined || this.#uids[member] !== this.#notUid);

  /** A restarting member's mailbox is open. One that is draining or has ended takes no messages. */
  #isOpen(member: number): boolean {
    const now = Atomics.load(this.#members[member].words, IDENTITY);
    const uid = this.#uids[member];
    return now === identity(uid, STATE_OPEN) || now === identity(uid, STATE_MOVED);
  }

  /** Messages accepted and not handled, the one being handled included, and those of this thread that wait for room. */
  readonly #loadOf = (member: number): number => {
    const { words, unsent } = this.#members[member];
    const waiting = (words[MAILBOX_LANE + NEXT_SEQ] - words[MAILBOX_LANE + HANDLED_SEQ]) | 0;
    return waiting + (words[MAILBOX_LANE + IN_FLIGHT] === 0 ? 0 : 1) + unsent.length;
  };
}

function keyMissing({ id }: Connection, method: string): ActorError {
  const message = `id=${id} method=${shownMethod(method)}: this router routes by consistent_hash; say for which key: ref.forKey(key)`;
  return new ActorError("ERR_NO_KEY", message, { id, method });
}

/** Whom a reference means where not a message is sent, but a process is watched or told to do something. */
export function processOf(ref: ActorRef | PoolRef): { readonly uid: number; readonly id: string } {
  return ref instanceof RouterRef || ref instanceof EntityRef ? ref.process : ref;
}
