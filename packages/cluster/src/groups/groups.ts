import { callSafely } from "@mini-otp/runtime/guests";
import { hashKey, type RouteKey } from "@mini-otp/worker-host/protocol/memory";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";

/** Members that came and went, on any node. */
export interface GroupChange {
  readonly joined: readonly ActorRef[];
  readonly left: readonly ActorRef[];
}

/** OTP's pg: actors join on their own node, and every node comes to see the same. */
export interface Group<A = any> {
  readonly name: string;
  /** An actor of this node. One that joins twice is a member twice, and leaves twice. */
  join(ref: ActorRef<A>): void;
  leave(ref: ActorRef<A>): void;
  members(): ActorRef<A>[];
  localMembers(): ActorRef<A>[];
  /** Returns the function that takes the listener off again. What it throws is logged. */
  onChange(listener: (change: GroupChange) => void): () => void;
  /** The members in turn; undefined while there is none. */
  any(): ActorRef<A> | undefined;
  /** The same member for the same key on every node, as long as it is there; undefined while there is none. */
  forKey(key: RouteKey): ActorRef<A> | undefined;
}

export interface GroupsHost {
  readonly node: string;
  monitor(ref: ActorRef, listener: () => void): () => void;
  /** Throws for what is no actor of this node. */
  checkOwn(what: string, ref: ActorRef): ActorRef;
  /** What a member of this node is to every node. */
  toWire(ref: ActorRef): readonly unknown[];
  /** Members of this node that came to a group and went from it, to every node, or to one. */
  tell(
    group: string,
    joined: readonly (readonly unknown[])[],
    left: readonly (readonly unknown[])[],
    node?: string,
  ): void;
  /** What it is called on every node. */
  globalName(ref: ActorRef): string;
  failed(error: unknown): void;
}

interface Member {
  readonly ref: ActorRef;
  readonly wire: readonly unknown[];
  readonly end: () => void;
}

/** A member of another node, and what that calls it. */
export interface FarMember {
  readonly key: string;
  readonly ref: ActorRef;
}

interface State {
  readonly local: Set<Member>;
  /** By node. */
  readonly remote: Map<string, FarMember[]>;
  readonly listeners: Set<(change: GroupChange) => void>;
  turn: number;
  /** All of them, until one comes or goes. */
  members: readonly ActorRef[] | undefined;
}

/** Told at once to a node that has come. */
const TOLD_AT_ONCE = 1000;
/** The members that one node may have in all groups; those beyond are none. */
const MOST_OF_A_NODE = 100_000;
const MOST_NAME_LENGTH = 128;

export class Groups {
  readonly #host: GroupsHost;
  readonly #groups = new Map<string, State>();
  /** How many members each of the other nodes has. */
  readonly #counts = new Map<string, number>();

  constructor(host: GroupsHost) {
    this.#host = host;
  }

  /** How many there are of which anything is kept. */
  get size(): number {
    return this.#groups.size;
  }

  group(name: string): Group {
    const members = (): readonly ActorRef[] => membersOf(this.#groups.get(name));
    return {
      name,
      join: (ref) => this.#join(name, this.#host.checkOwn("join", ref)),
      leave: (ref) => this.#leave(name, ref),
      members: () => [...members()],
      localMembers: () => refsOf(this.#groups.get(name)?.local ?? []),
      onChange: (listener) => {
        const state = this.#state(name);
        // Of its own: one that is given twice is called twice.
        const own = (change: GroupChange): unknown => listener(change);
        state.listeners.add(own);
        return () => {
          state.listeners.delete(own);
          this.#tidy(name, state);
        };
      },
      any: () => {
        const state = this.#groups.get(name);
        return state === undefined ? undefined : members()[state.turn++ % Math.max(1, members().length)];
      },
      forKey: (key) => this.#forKey(members(), key),
    };
  }

  /** A node has come: it is told what is here. */
  nodeUp(node: string): void {
    for (const [name, { local }] of this.#groups) {
      const wires = Array.from(local, ({ wire }) => wire);
      for (let at = 0; at < wires.length; at += TOLD_AT_ONCE) {
        this.#host.tell(name, wires.slice(at, at + TOLD_AT_ONCE), [], node);
      }
    }
  }

  /** A node has gone, and its members with it. */
  nodeDown(node: string): void {
    this.#counts.delete(node);
    for (const [name, state] of [...this.#groups]) {
      const left = state.remote.get(node);
      if (left === undefined) continue;
      state.remote.delete(node);
      this.#changed(name, state, { joined: [], left: refsOf(left) });
    }
  }

  /** What another node says of its members. False for what is over what it may say. */
  changed(node: string, name: string, joined: readonly FarMember[], left: readonly string[]): boolean {
    const count = this.#counts.get(node) ?? 0;
    if (name.length === 0 || name.length > MOST_NAME_LENGTH || count + joined.length > MOST_OF_A_NODE) return false;
    if (joined.length === 0 && this.#groups.get(name)?.remote.has(node) !== true) return true;
    const state = this.#state(name);
    const members = state.remote.get(node) ?? [];
    const gone = left.flatMap((key) => takenOut(members, key) ?? []);
    for (const member of joined) members.push(member);
    this.#counts.set(node, count + joined.length - gone.length);
    if (members.length === 0) state.remote.delete(node);
    else state.remote.set(node, members);
    if (joined.length + gone.length > 0) this.#changed(name, state, { joined: refsOf(joined), left: gone });
    return true;
  }

  #state(name: string): State {
    let state = this.#groups.get(name);
    if (state === undefined) {
      state = { local: new Set(), remote: new Map(), listeners: new Set(), turn: 0, members: undefined };
      this.#groups.set(name, state);
    }
    return state;
  }

  /** Nothing is kept of a group without members and listeners. */
  #tidy(name: string, { local, remote, listeners }: State): void {
    if (local.size + remote.size + listeners.size === 0) this.#groups.delete(name);
  }

  #join(name: string, ref: ActorRef): void {
    const state = this.#state(name);
    // As it is now: when it leaves it may be gone.
    const wire = this.#host.toWire(ref);
    const member: Member = { ref, wire, end: this.#host.monitor(ref, () => this.#remove(name, member)) };
    state.local.add(member);
    this.#host.tell(name, [wire], []);
    this.#changed(name, state, { joined: [ref], left: [] });
  }

  #leave(name: string, { uid, address }: ActorRef): void {
    for (const member of this.#groups.get(name)?.local ?? []) {
      if (member.ref.uid !== uid || member.ref.address !== address) continue;
      this.#remove(name, member);
      return;
    }
  }

  #remove(name: string, member: Member): void {
    const state = this.#groups.get(name);
    if (state?.local.delete(member) !== true) return;
    member.end();
    this.#host.tell(name, [], [member.wire]);
    this.#changed(name, state, { joined: [], left: [member.ref] });
  }

  #changed(name: string, state: State, change: GroupChange): void {
    state.members = undefined;
    this.#emit(state, change);
    this.#tidy(name, state);
  }

  #emit(state: State, change: GroupChange): void {
    for (const listener of [...state.listeners]) {
      callSafely(
        () => listener(change),
        (error) => this.#host.failed(error),
      );
    }
  }

  /** The largest hash of key and member: when members come or go, only the keys move that have to. */
  #forKey(members: readonly ActorRef[], key: RouteKey): ActorRef | undefined {
    const hash = hashKey(key);
    let best: { readonly ref: ActorRef; readonly weight: number } | undefined;
    for (const ref of members) {
      const weight = hashKey(`${hash}/${this.#host.globalName(ref)}`) >>> 0;
      if (best === undefined || weight > best.weight) best = { ref, weight };
    }
    return best?.ref;
  }
}

function membersOf(state: State | undefined): readonly ActorRef[] {
  if (state === undefined) return [];
  state.members ??= [...refsOf(state.local), ...[...state.remote.values()].flatMap(refsOf)];
  return state.members;
}

function refsOf(members: Iterable<{ readonly ref: ActorRef }>): ActorRef[] {
  return Array.from(members, ({ ref }) => ref);
}

/** Takes one out; undefined when it is not in it. */
function takenOut(members: FarMember[], key: string): ActorRef | undefined {
  const at = members.findIndex((member) => member.key === key);
  return at === -1 ? undefined : members.splice(at, 1)[0].ref;
}
