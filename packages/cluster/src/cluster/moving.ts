import type { ActorRef, ActorSpec, ActorSystem, ExitReason, ResourceContext } from "@mini-otp/runtime";
import { takeArgument } from "@mini-otp/runtime/options";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { EntityRef, noConnection } from "@mini-otp/worker-host/protocol/refs";
import { Contender } from "../children/contender.js";
import { type Delivery, Doors, deliveryIn, deliveryToWire } from "../children/door.js";
import type { HoldingHost } from "../children/holding.js";
import type { Target } from "../children/moving-ref.js";
import { MovingRefs } from "../children/moving-refs.js";
import { keyOf, type Owners } from "../children/owners.js";
import type { SingletonSpec } from "../children/singleton-spec.js";
import type { Bucket, KeptState } from "../engine/engine.js";
import type { Gateway } from "../gateway/gateway.js";
import type { Ownership } from "../nodes/ownership.js";
import { shardOf } from "../shards/placement.js";
import { ShardSet, shardKey } from "../shards/shard-set.js";
import { anEntityId, type Shards, type ShardsSpec, takeShardsSpec } from "../shards/shards-spec.js";
import type { ClusterReading } from "./meters.js";
import type { FullOptions } from "./options.js";

export interface MovingHost {
  readonly system: ActorSystem;
  readonly options: FullOptions;
  readonly gateway: Gateway;
  readonly bucket: Bucket;
  readonly state: KeptState;
  readonly ownership: Ownership;
  readonly owners: Owners;
  /** Starts an actor, under a supervisor that does not restart it. */
  start(spec: Omit<ActorSpec, "kind">): Promise<ActorRef>;
  terminate(id: string): Promise<void>;
  /** Asks the bucket. Rejects with ERR_CLUSTER_ENGINE when it does not answer. */
  ask<T>(what: string, ask: () => Promise<T>): Promise<T>;
}

/** What a node asks of another that has what moves. */
export const DELIVER = "deliver";
const NO_TIMEOUT = { timeoutMs: Infinity };
const NEVER = new AbortController().signal;

/** A node's part in what moves from node to node: singletons and shards, what it has of them, and its references to them. */
export class Moving {
  readonly #host: MovingHost;
  readonly #holdingHost: HoldingHost;
  readonly #doors = new Doors();
  readonly #refs: MovingRefs;
  readonly #contenders = new Set<Contender>();
  /** The ids of those that are not being stopped. */
  readonly #contended = new Set<string>();
  readonly #shardSets = new Map<string, ShardSet>();
  #stopping = false;
  #handingOver: Promise<unknown> | undefined;

  constructor(host: MovingHost) {
    const { system, gateway, bucket, ownership, owners } = host;
    const monitor = (ref: ActorRef, listener: (reason: ExitReason) => void): (() => void) =>
      system.monitor(ref, ({ reason }) => listener(reason));
    this.#host = host;
    this.#refs = new MovingRefs((key) => ({
      guests: gateway.guests,
      target: () => this.#targetOf(key),
      deliver: (to, delivery, signal) => this.#deliver(key, to, delivery, signal),
      onChange: (listener) => owners.onChange(key, listener),
      monitor,
      exit: (ref, reason) => system.exit(ref, reason as ExitReason),
    }));
    this.#holdingHost = {
      bucket,
      ownership,
      owners,
      guests: gateway.guests,
      doors: this.#doors,
      terminate: (id) => host.terminate(id),
      kill: (ref) => system.exit(ref, "kill" as never),
      monitor,
      globalOf: (ref) => gateway.globalOf(ref),
    };
  }

  singleton(id: string): ActorRef {
    return this.#refs.ref(keyOf(id), `singleton:${id}`);
  }

  /** This node wishes to run a singleton, until the contender is stopped. Throws ERR_ALREADY_STARTED while it does already. */
  contend(spec: SingletonSpec, context: ResourceContext): { stop(reason: ExitReason): Promise<void> } {
    const { id } = spec;
    if (this.#contended.has(id)) {
      throw new ActorError("ERR_ALREADY_STARTED", `singleton: id=${id}: this node has declared it`, { id });
    }
    this.#contended.add(id);
    const contender = new Contender(
      {
        ...this.#holdingHost,
        labels: this.#host.options.labels,
        start: ({ on: _, ...of }, args) => this.#host.start({ ...of, args }),
        isStopping: () => this.#stopping,
      },
      spec,
      context,
    );
    this.#contenders.add(contender);
    return {
      stop: async (reason) => {
        // The next one is started while this one still waits for the bucket.
        this.#contended.delete(id);
        await contender.stop(reason);
        this.#contenders.delete(contender);
      },
    };
  }

  /** As `Cluster.shards`. */
  async shards<A>(spec: ShardsSpec): Promise<Shards<A>> {
    const full = takeShardsSpec(spec);
    const { id, shards } = full;
    if (this.#shardSets.has(id)) {
      throw new ActorError("ERR_ALREADY_STARTED", `shards: id=${id}: this node has declared them`, { id });
    }
    const { node, version, labels } = this.#host.options;
    const set = new ShardSet(
      {
        ...this.#holdingHost,
        node,
        version,
        labels,
        state: this.#host.state,
        start: (of) => this.#host.start(of),
        all: (shard) => this.#shard(id, shard),
        warn: (facts, message) => this.#host.gateway.guests.logger.warn(facts, message),
      },
      full,
    );
    this.#shardSets.set(id, set);
    try {
      await this.#host.ask("shards", () => set.begin());
    } catch (error) {
      this.#shardSets.delete(id);
      throw error;
    }
    return {
      id,
      shards,
      ref: (entity) => {
        takeArgument("ref", "entity", entity, anEntityId);
        return this.#shard(id, shardOf(entity, shards)).forKey(entity);
      },
      stats: () => set.stats(),
    };
  }

  /** What every node calls it; undefined for what does not move. */
  nameOf(ref: ActorRef): string | undefined {
    const key = this.#refs.keyOf(ref.uid);
    if (key === undefined) return undefined;
    return ref instanceof EntityRef && ref.key !== undefined ? `${key}#${ref.key}` : key;
  }

  /** The reference of such a name; undefined for what cannot be one. */
  named(name: string): ActorRef | undefined {
    const [, kind, hex, shard, entity] =
      /^(one|shard)\.((?:[0-9a-f]{2}){1,512})(?:\.(\d{1,4}))?(?:#(.*))?$/su.exec(name) ?? [];
    if (hex === undefined) return undefined;
    const id = Buffer.from(hex, "hex").toString();
    const key = shard === undefined ? keyOf(id) : shardKey(id, Number(shard));
    // Another node may make names up. What this one has asked for itself it has all the same.
    if (!this.#refs.has(key) && this.#refs.size >= this.#host.options.maxReferences) return undefined;
    if (kind === "one") return shard === undefined && entity === undefined ? this.singleton(id) : undefined;
    if (shard === undefined) return undefined;
    const all = this.#shard(id, Number(shard));
    return entity === undefined ? all : all.forKey(entity);
  }

  /** Another node delivers to what this one has. */
  async take(node: string, args: unknown[], signal: AbortSignal): Promise<unknown> {
    const { key, delivery } = deliveryIn(args);
    const by = { node, incarnation: this.#host.gateway.incarnationOf(node) ?? "" };
    return this.#doors.deliver(by, key, delivery, signal);
  }

  nodeDown(node: string): void {
    this.#doors.nodeDown(node);
  }

  /** The system stops: nothing is contended for any more, and what this node has goes to others. */
  systemStops(): void {
    this.#stopping = true;
    void this.handOver();
  }

  /** What was taken is handled, and then it is the next one's. Never rejects. */
  handOver(): Promise<unknown> {
    this.#handingOver ??= Promise.all([
      ...[...this.#contenders].map((contender) => contender.handOver()),
      ...[...this.#shardSets.values()].map((set) => set.leave()),
    ]);
    return this.#handingOver;
  }

  /** Resolves when all that was sent from here so far has been taken and answered. */
  idle(): Promise<unknown> {
    return this.#refs.idle();
  }

  close(): void {
    this.#refs.close();
  }

  /** Undefined where no shards are declared. */
  get shardsHeld(): ClusterReading["shards"] {
    if (this.#shardSets.size === 0) return undefined;
    const stats = [...this.#shardSets.values()].map((set) => set.stats());
    const sum = (of: "held" | "moving"): number => stats.reduce((all, each) => all + each[of], 0);
    return { held: sum("held"), moving: sum("moving") };
  }

  /** All entities of a shard. */
  #shard(id: string, shard: number): ActorRef {
    return this.#host.gateway.guests.entities(this.#refs.ref(shardKey(id, shard), `shards:${id}:${shard}`));
  }

  /** Undefined while its node is not to be reached. */
  #targetOf(key: string): Target | undefined {
    const { options, owners, gateway } = this.#host;
    const target = owners.targetOf(key);
    const isReached = target?.node === options.node || (target !== undefined && gateway.isUp(target.node));
    return isReached ? target : undefined;
  }

  #deliver(key: string, to: Target, delivery: Delivery, signal: AbortSignal | undefined): Promise<unknown> {
    const { options, gateway } = this.#host;
    const { node } = options;
    const { incarnation } = gateway.self;
    if (to.node === node) return this.#doors.deliver({ node, incarnation }, key, delivery, signal ?? NEVER);
    const other = gateway.nodeRef(to.node);
    if (other === undefined) return Promise.reject(noConnection({ id: `${to.node}:` }, delivery.method));
    const ways = signal === undefined ? NO_TIMEOUT : { ...NO_TIMEOUT, signal };
    return other.with(ways).call(DELIVER, ...deliveryToWire(key, delivery));
  }
}
