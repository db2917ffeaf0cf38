import type { MemberAddress } from "@mini-otp/worker-host/protocol/memory";
import {
  type ActorRef,
  mergeOptions,
  type RefOptions,
  RouterRef,
  type Sender,
} from "@mini-otp/worker-host/protocol/refs";
import type { RouterStats } from "../stats/router-stats.js";
import type { ChildCounts, ChildInfo, RecentRestarts, SupervisorInfo } from "./administration.js";

/** A router, as its reference on main administers it. */
export interface SupervisedRouter {
  readonly id: string;
  readonly size: number;
  readonly members: {
    whichChildren(): ChildInfo[];
    countChildren(): ChildCounts;
    recentRestarts(): RecentRestarts;
    readonly flags: SupervisorInfo;
    child(id: string): any;
  };
  resize(size: number): Promise<void>;
  stats(): RouterStats;
}

/** A router's reference on main, where it can also be resized and its members be looked at. */
export class SupervisedRouterRef<A = any> extends RouterRef<A> {
  readonly #router: SupervisedRouter;
  readonly #sender: Sender;
  readonly #options: RefOptions;

  /** @internal */
  constructor(router: SupervisedRouter, sender: Sender, { address, uid }: MemberAddress, options: RefOptions = {}) {
    super(sender, address, uid, router.id, options);
    this.#router = router;
    this.#sender = sender;
    this.#options = options;
  }

  /** How many members it has. */
  get size(): number {
    return this.#router.size;
  }

  override with(options: RefOptions): SupervisedRouterRef<A> {
    const all = mergeOptions(this.id, this.#options, options);
    return new SupervisedRouterRef<A>(this.#router, this.#sender, this, all);
  }

  /**
   * Changes how many members there are. Those that come get messages once all of them have started; if one cannot
   * start, none is kept, and this rejects as `startChild`. Those that go, the last ones, get no more messages; they
   * are stopped when they have handled what they had accepted, however long that takes. Resolves when all of this is
   * done; one resize follows the other. The size outlasts a restart of the router.
   *
   * Rejects with ERR_INVALID_CHILD_SPEC, and, when the router does not run, with ERR_NOPROC or ERR_SYSTEM_STOPPED; one that is under
   * way when the router is stopped is done then. Main only.
   */
  resize(size: number): Promise<void> {
    return this.#router.resize(size);
  }

  /** The members, the last one first. */
  whichChildren(): ChildInfo[] {
    return this.#router.members.whichChildren();
  }

  countChildren(): ChildCounts {
    return this.#router.members.countChildren();
  }

  /** How many restarts of members count against the router's intensity now. */
  recentRestarts(): RecentRestarts {
    return this.#router.members.recentRestarts();
  }

  /** What the restarts of members go by. */
  get flags(): SupervisorInfo {
    return this.#router.members.flags;
  }

  /** The reference of one member: ids are `"0"` to `size - 1`. It passes the router by. */
  child(id: string): ActorRef<A> | undefined {
    return this.#router.members.child(id) as ActorRef<A> | undefined;
  }

  override stats(): RouterStats {
    return this.#router.stats();
  }
}
