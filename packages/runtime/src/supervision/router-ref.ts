import type { MemberAddress } from "@mini-otp/worker-host/protocol/memory";
import {
  type ActorRef,
  mergeOptions,
  type RefOptions,
  RouterRef,
  type Sender,
} from "@mini-otp/worker-host/protocol/refs";
import type { RouterStats } from "../stats/router-stats.js";
import type { ChildCounts, ChildInfo, RecentRestarts, SupervisorInfo, WorkerInfo } from "./administration.js";

/** A router, as its reference on main uses it. */
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

/** A router's reference on main, which can also resize it and list its members. */
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
   * Changes the number of members. New members get messages once all of them have started; if one cannot start, none is
   * kept, and this rejects as `startChild`. Members that are removed, the last ones, get no more messages; they are
   * stopped when they have handled the messages they had accepted, however long that takes. Resolves when all of this
   * is done. Resizes run one after the other. The size stays over a restart of the router.
   *
   * Rejects with ERR_INVALID_CHILD_SPEC, and, when the router does not run, with ERR_NOPROC or ERR_SYSTEM_STOPPED. A
   * resize that is under way when the router is stopped resolves then. Main only.
   */
  resize(size: number): Promise<void> {
    return this.#router.resize(size);
  }

  /** The members, the last one first. */
  whichChildren(): WorkerInfo<ActorRef<A>>[] {
    return this.#router.members.whichChildren() as WorkerInfo<ActorRef<A>>[];
  }

  countChildren(): ChildCounts {
    return this.#router.members.countChildren();
  }

  /** How many restarts of members count against the router's intensity now. */
  recentRestarts(): RecentRestarts {
    return this.#router.members.recentRestarts();
  }

  /** The flags by which members are restarted. */
  get flags(): SupervisorInfo {
    return this.#router.members.flags;
  }

  /** The reference of one member: ids are `"0"` to `size - 1`. Its messages do not go through the router. */
  child(id: string): ActorRef<A> | undefined {
    return this.#router.members.child(id) as ActorRef<A> | undefined;
  }

  override stats(): RouterStats {
    return this.#router.stats();
  }
}
