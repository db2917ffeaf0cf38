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
  /** All local members of a group, to every node, or to one. */
  tell(group: string, members: readonly ActorRef[], node?: string): void;
  /** What it is called on every node. */
  globalName(ref: ActorRef): string;
  failed(error: unknown): void;
}

interface Member {
  readonly ref: ActorRef;
  readonly end: () => void;
}

interface State {
  readonly local: Member[];
  readonly remote: Map<string, readonly ActorRef[]>;
  readonly listeners: Set<(change: GroupChange) => void>;
  turn: number;
}

export class Groups {
  readonly #host: GroupsHost;
  readonly #groups = new Map<string, State>();

  constructor(host: GroupsHost) {
    this.#host = host;
  }

  group(name: string): Group {
    const state = (): State => this.#state(name);
    return {
      name,
      join: (ref) => this.#join(name, this.#host.checkOwn("join", ref)),
      leave: (ref) => this.#leave(name, ref),
      members: () => membersOf(state()),
      localMembers: () => state().local.map(({ ref }) => ref),
      onChange: (listener) => {
        const { listeners } = state();
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      any: () => {
        const members = membersOf(state());
        return members[state().turn++ % Math.max(1, members.length)];
      },
      forKey: (key) => this.#forKey(membersOf(state()), key),
    };
  }

  /** A node has come: it is told what is here. */
  nodeUp(node: string): void {
    for (const [name, { local }] of this.#groups) {
      if (local.length > 0) this.#host.tell(name, refsOf(local), node);
    }
  }

  /** A node has gone, and its members with it. */
  nodeDown(node: string): void {
    for (const state of this.#groups.values()) this.#setRemote(state, node, []);
  }

  /** What another node says are its members. */
  changed(node: string, group: string, refs: readonly ActorRef[]): void {
    this.#setRemote(this.#state(group), node, refs);
  }

  #state(name: string): State {
    let state = this.#groups.get(name);
    if (state === undefined) {
      state = { local: [], remote: new Map(), listeners: new Set(), turn: 0 };
      this.#groups.set(name, state);
    }
    return state;
  }

  #join(name: string, ref: ActorRef): void {
    const state = this.#state(name);
    const member: Member = { ref, end: this.#host.monitor(ref, () => this.#remove(name, state, member)) };
    state.local.push(member);
    this.#host.tell(name, refsOf(state.local));
    this.#emit(state, { joined: [ref], left: [] });
  }

  #leave(name: string, { uid }: ActorRef): void {
    const state = this.#state(name);
    const member = state.local.find(({ ref }) => ref.uid === uid);
    if (member !== undefined) this.#remove(name, state, member);
  }

  #remove(name: string, state: State, member: Member): void {
    const index = state.local.indexOf(member);
    if (index === -1) return;
    member.end();
    state.local.splice(index, 1);
    this.#host.tell(name, refsOf(state.local));
    this.#emit(state, { joined: [], left: [member.ref] });
  }

  #setRemote(state: State, node: string, refs: readonly ActorRef[]): void {
    const before = state.remote.get(node) ?? [];
    if (refs.length === 0) state.remote.delete(node);
    else state.remote.set(node, refs);
    const [joined, left] = [without(refs, before), without(before, refs)];
    if (joined.length + left.length > 0) this.#emit(state, { joined, left });
  }

  #emit(state: State, change: GroupChange): void {
    for (const listener of [...state.listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#host.failed(error);
      }
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

function membersOf({ local, remote }: State): ActorRef[] {
  return [...refsOf(local), ...[...remote.values()].flat()];
}

function refsOf(members: readonly Member[]): ActorRef[] {
  return members.map(({ ref }) => ref);
}

/** Each is taken away once for each time that it is in `others`. */
function without(refs: readonly ActorRef[], others: readonly ActorRef[]): ActorRef[] {
  const counts = new Map<number, number>();
  for (const { uid } of others) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  return refs.filter(({ uid }) => {
    const count = counts.get(uid) ?? 0;
    counts.set(uid, count - 1);
    return count <= 0;
  });
}
