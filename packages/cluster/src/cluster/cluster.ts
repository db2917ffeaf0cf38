/*
 * What each part of a node needs of the others is wired here, and nowhere else: therefore it has more lines than files here
 * have.
 */
import {
  type ActorRef,
  type ActorSpec,
  type ActorSystem,
  type DynamicSupervisorRef,
  dynamicSupervisor,
  type ExitReason,
  type ResourceContext,
} from "@mini-otp/runtime";
import type { NodeEvent } from "@mini-otp/runtime/guests";
import { requireSystem, takeArgument } from "@mini-otp/runtime/options";
import { ActorError, invalidOption } from "@mini-otp/worker-host/protocol/errors";
import { nameUpTo } from "@mini-otp/worker-host/protocol/options";
import { checkedReference } from "@mini-otp/worker-host/protocol/refs";
import { clusterJoined, clusterLeft } from "../children/clusters.js";
import { Offered } from "../children/offered.js";
import { Owners } from "../children/owners.js";
import type { RemoteSpec } from "../children/remote-spec.js";
import type { SingletonSpec } from "../children/singleton-spec.js";
import { type Started, startOn } from "../children/start-on.js";
import type { Engine } from "../engine/engine.js";
import { MeteredBucket } from "../engine/metered-bucket.js";
import { Gateway, limitsOf } from "../gateway/gateway.js";
import { GROUP, record } from "../gateway/records.js";
import { toWire } from "../gateway/references.js";
import { valueToWire } from "../gateway/values.js";
import { type Group, Groups } from "../groups/groups.js";
import { type Hello, PROTOCOL } from "../link/hello.js";
import type { LinkEnd } from "../link/link.js";
import { Names } from "../names/names.js";
import { newIncarnation, startAfterFormer } from "../nodes/incarnation.js";
import type { LeaseLoss } from "../nodes/lease.js";
import { Ownership } from "../nodes/ownership.js";
import type { Shards, ShardsSpec } from "../shards/shards-spec.js";
import { type ClusterEvents, ClusterListeners, type NodeInfo } from "./events.js";
import { type ClusterMeters, type ClusterReading, countBy } from "./meters.js";
import { DELIVER, Moving } from "./moving.js";
import { OBSERVE, Observed, type ObservedNodes } from "./observed.js";
import { type FullOptions, type LeaveOptions, takeLeaveOptions } from "./options.js";
import { within } from "./within.js";

const aName = nameUpTo(128);
/** In names that actors ask for: a name of the cluster. */
const PREFIX = "cluster:";
/** The supervisor of what runs here for the cluster. */
const SERVICES = "cluster";
/** Of a system's stop, whose time was for its actors. */
const FAREWELL_TIMEOUT_MS = 2000;
/** What this node has sent to what no other node has holds its leaving up for no longer. */
const SETTLE_MS = 2000;

/** This node's membership of a cluster. */
export class Cluster {
  readonly #system: ActorSystem;
  readonly #engine: Engine;
  readonly #bucket: MeteredBucket;
  readonly #options: FullOptions;
  readonly #gateway: Gateway;
  readonly #ownership: Ownership;
  readonly #names: Names;
  readonly #groups: Groups;
  readonly #owners: Owners;
  readonly #moving: Moving;
  readonly #offered: Offered;
  readonly #observed: Observed;
  #services: Promise<DynamicSupervisorRef> | undefined;
  readonly #events: ClusterListeners;
  readonly #meters: ClusterMeters = { read: () => this.#read() };
  #leaving: Promise<void> | undefined;

  /** @internal */
  constructor(system: ActorSystem, engine: Engine, options: FullOptions, startedAt: number) {
    this.#system = system;
    this.#engine = engine;
    this.#bucket = new MeteredBucket(engine.bucket);
    const bucket = this.#bucket;
    this.#options = options;
    this.#events = new ClusterListeners((event, error) =>
      this.#gateway.guests.logger.error({ event, err: error }, `a listener for ${event} threw`),
    );
    const incarnation = newIncarnation(startedAt);
    const hello: Hello = { incarnation, startedAt, oldest: PROTOCOL, newest: PROTOCOL, limits: limitsOf(options) };
    this.#gateway = new Gateway(system, engine, hello, options, {
      nodeUp: (node) => this.#nodeUp(node),
      nodeDown: (node, why) => this.#nodeDown(node, why),
      nodeSuspect: (node) => this.#tell("node_suspect", { node }),
      linkFull: (node) => this.#tell("link_full", { node }),
      control: async (node, method, args, signal) => {
        if (method === DELIVER) return this.#moving.take(node, args, signal);
        if (method === OBSERVE) return this.#observed.take(node, args);
        return this.#offered.handle(node, method, args, signal);
      },
      engine: (connected) => this.#tell(connected ? "engine_up" : "engine_down", {}),
      movingName: (ref) => this.#moving.nameOf(ref),
      movingRef: (name) => this.#moving.named(name),
      groupChanged: (node, group, joined, left) => this.#groups.changed(node, group, joined, left),
    });
    this.#ownership = new Ownership(bucket, options.node, incarnation, options.lease, {
      lost: (why) => this.#leaseLost(why),
      bucketReset: () => [this.#names, this.#owners].forEach((known) => void known.bucketReset()),
      regained: () => this.#leaseRegained(),
      changed: () => this.#owners.tell(),
      clearAway: (node) => [this.#names, this.#owners].map((known) => known.clearAway(node)).includes(true),
    });
    const gateway = this.#gateway;
    const monitor = (ref: ActorRef, listener: () => void): (() => void) => system.monitor(ref, listener);
    this.#names = new Names({
      bucket,
      ownership: this.#ownership,
      globalOf: (ref) => gateway.globalOf(ref),
      refTo: (global) => gateway.refTo(global),
      own: (ref) => gateway.own(ref),
      monitor,
      warn: (facts, message) => gateway.guests.logger.warn(facts, message),
    });
    this.#owners = new Owners(bucket, this.#ownership, (global) => gateway.refTo(global));
    this.#moving = new Moving({
      system,
      options,
      gateway,
      bucket,
      state: engine.state,
      ownership: this.#ownership,
      owners: this.#owners,
      start: (spec) => this.#startService(spec),
      terminate: (id) => this.#terminateService(id),
      ask: (what, ask) => this.#ask(what, ask),
    });
    this.#offered = new Offered(options, {
      start: (spec) => this.#startService(spec),
      terminate: (id) => this.#terminateService(id),
      monitor,
    });
    this.#observed = new Observed({
      node: options.node,
      version: options.version,
      allowObserve: options.allowObserve,
      tree: () => system.tree(),
      nodes: () => this.nodes(),
      nodesGone: () => gateway.nodesGone,
      nodeRef: (node) => gateway.nodeRef(node),
    });
    this.#groups = new Groups({
      node: options.node,
      monitor,
      checkOwn: (what, ref) => this.#checkOwn(what, ref),
      toWire: (ref) => toWire(gateway.globalOf(ref)),
      tell: (group, joined, left, node) =>
        gateway.tellGroup((codec) => record(GROUP, valueToWire(codec, [group, joined, left])), node),
      globalName: (ref) => {
        const { node, incarnation: of, uid } = gateway.globalOf(ref);
        return `${node}/${of}/${uid}`;
      },
      failed: (error) => gateway.guests.logger.error({ err: error }, "a listener of the cluster's threw"),
    });
  }

  /** @internal Rejects when a node of this name runs; then nothing is left behind. */
  async join(): Promise<this> {
    try {
      await this.#ownership.take();
    } catch (by) {
      this.#ownership.stop();
      await this.#engine.close();
      const { node, cluster } = this.#options;
      const message = `joinCluster: node=${node}: a node of this name is in cluster ${cluster}, of this process or another`;
      throw new ActorError("ERR_NODE_NAME_TAKEN", message, { node, cluster, incarnation: String(by) });
    }
    await this.#names.start();
    await this.#owners.start();
    this.#gateway.start();
    clusterJoined(this.#system, this);
    const { guests } = this.#gateway;
    guests.findNamesBy((name) =>
      name.startsWith(PREFIX) ? this.#names.whereis(name.slice(PREFIX.length)) : undefined,
    );
    guests.beforeStop(() => {
      this.#gateway.announceLeaving();
      this.#moving.systemStops();
      return () => this.leave({ timeoutMs: FAREWELL_TIMEOUT_MS });
    });
    void this.#system.terminated.then(() => this.leave({ timeoutMs: FAREWELL_TIMEOUT_MS }));
    return this;
  }

  get self(): Omit<NodeInfo, "state" | "mainLagMs" | "rttMs"> {
    const { node, version, labels } = this.#options;
    const { incarnation, startedAt } = this.#gateway.self;
    return { node, incarnation, version, labels, since: startedAt };
  }

  /** The others that are connected. */
  nodes(): NodeInfo[] {
    return this.#gateway.nodes.map(({ node, state, last, rttMs }) => {
      const incarnation = this.#gateway.incarnationOf(node) ?? last.incarnation;
      const { version, labels, startedAt: since, lagMs: mainLagMs } = last;
      return { node, incarnation, version, labels, since, state, mainLagMs, rttMs };
    });
  }

  /** Returns the function that takes the listener off again. What it throws is logged. */
  on<E extends keyof ClusterEvents>(event: E, listener: (event: ClusterEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Registers an actor of this node for all nodes; the name is free when this incarnation of it ends. Rejects with
   * ERR_NAME_TAKEN (`holder`), ERR_NOPROC for what is no actor of this node, ERR_LEASE_LOST while this node may own
   * nothing, ERR_CLUSTER_ENGINE when the bucket does not answer.
   */
  async register(name: string, ref: ActorRef): Promise<void> {
    takeArgument("register", "name", name, aName);
    checkedReference(ref, "register");
    await this.#ask("register", () => this.#names.register(name, ref));
  }

  /**
   * Gives a name of this node's back. Rejects with ERR_CLUSTER_ENGINE when the bucket does not answer: here it is free at once, for
   * the others when the bucket answers again.
   */
  async unregister(name: string): Promise<void> {
    takeArgument("unregister", "name", name, aName);
    await this.#ask("unregister", () => this.#names.unregister(name));
  }

  /** What this node knows, at once. In actors: `ctx.whereis("cluster:name")`. */
  whereis<A = any>(name: string): ActorRef<A> | undefined {
    return this.#names.whereis(takeArgument("whereis", "name", name, aName));
  }

  /** What is agreed on now. Rejects with ERR_CLUSTER_ENGINE when the bucket does not answer. */
  async lookup<A = any>(name: string): Promise<ActorRef<A> | undefined> {
    takeArgument("lookup", "name", name, aName);
    return this.#ask("lookup", () => this.#names.lookup(name));
  }

  group<A = any>(name: string): Group<A> {
    return this.#groups.group(takeArgument("group", "name", name, aName)) as Group<A>;
  }

  /**
   * The reference to a singleton, wherever it runs: what is sent to it goes there, in order, and waits while it moves, until
   * `ERR_MAILBOX_FULL`.
   */
  singleton<A = any>(id: string): ActorRef<A> {
    takeArgument("singleton", "id", id, aName);
    return this.#moving.singleton(id);
  }

  /**
   * Declares shards, on each node that runs them or sends to their entities: with one `id`, one `entity` module and one number of
   * `shards`. Resolves when this node runs what is placed here and free. Rejects with ERR_INVALID_OPTION, also for another number
   * of shards than the other nodes'; ERR_ALREADY_STARTED when this node has declared them; ERR_ACTOR_MODULE (`tried`) before any
   * shard starts, when this node may run shards and `entity` does not load; ERR_CLUSTER_ENGINE; and as `startChild` when the first
   * shard does not start.
   */
  async shards<A = any>(spec: ShardsSpec): Promise<Shards<A>> {
    return this.#moving.shards(spec);
  }

  /** @internal For `singleton` the child spec. */
  contend(spec: SingletonSpec, context: ResourceContext): { stop(reason: ExitReason): Promise<void> } {
    return this.#moving.contend(spec, context);
  }

  /** @internal For `remote` the child spec. */
  async startOn(spec: RemoteSpec, context: ResourceContext): Promise<Started> {
    return startOn(
      {
        nodes: () => this.nodes(),
        nodeRef: (node) => this.#gateway.nodeRef(node),
        monitor: (ref, listener) => this.#system.monitor(ref, ({ reason }) => listener(reason)),
      },
      spec,
      context,
    );
  }

  /** For `registerMetrics(system, { cluster: cluster.meters })`: the numbers of this node's part of the cluster. */
  get meters(): ClusterMeters {
    return this.#meters;
  }

  /** For `startObserver(system, { nodes: cluster.observed })`: the nodes and their trees. */
  get observed(): ObservedNodes {
    return this.#observed;
  }

  /** Numbers of this node's part of the cluster. */
  stats() {
    return { ...this.#gateway.stats, nodes: this.nodes().length, names: this.#names.count };
  }

  /**
   * Announces that this node leaves, hands over what moves (what was sent to it is handled first), gives its names and its lease
   * back, and says good-bye. `system.stop()` does it, too.
   */
  async leave(options: LeaveOptions = {}): Promise<void> {
    const { timeoutMs } = takeLeaveOptions(options);
    this.#leaving ??= this.#leave(timeoutMs);
    return this.#leaving;
  }

  async #leave(timeoutMs: number): Promise<void> {
    this.#gateway.guests.findNamesBy(undefined);
    this.#gateway.announceLeaving();
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(0, deadline - performance.now());
    await within(timeoutMs, this.#moving.handOver());
    if (this.nodes().length > 0) {
      await within(Math.min(left(), SETTLE_MS), this.#moving.idle());
    }
    const given = this.#names.close().then(() => this.#ownership.release());
    await within(left(), given);
    this.#ownership.stop();
    this.#moving.close();
    this.#owners.stop();
    // A call that came last is refused, and its caller is to hear that.
    await within(Math.min(left(), SETTLE_MS), this.#gateway.answered());
    await within(left(), this.#gateway.close());
    await within(left(), this.#engine.close());
    await within(left(), this.#endServices());
    clusterLeft(this.#system);
  }

  #read(): ClusterReading {
    const { lagMs: gatewayLagMs, links } = this.#gateway;
    const { answers: bucket, failures: bucketFailures } = this.#bucket.readings;
    return {
      nodes: { up: 0, suspect: 0, leaving: 0, ...countBy(this.nodes().map(({ state }) => state)) },
      links,
      isConnected: this.#engine.connected,
      isLeaseHeld: this.#ownership.isHeld,
      leaseAgeMs: this.#ownership.leaseAgeMs,
      names: this.#names.count,
      shards: this.#moving.shardsHeld,
      gatewayLagMs,
      bucket,
      bucketFailures,
    };
  }

  /** The system's listeners, and then the cluster's. */
  #tell<E extends keyof ClusterEvents>(event: E, facts: ClusterEvents[E]): void {
    this.#gateway.guests.tell({ event, ...facts } as NodeEvent);
    this.#events.emit(event, facts);
  }

  #nodeUp(node: string): void {
    this.#groups.nodeUp(node);
    this.#owners.tell();
    this.#tell("node_up", { node });
  }

  #nodeDown(node: string, why: LinkEnd): void {
    this.#groups.nodeDown(node);
    this.#offered.nodeDown(node);
    this.#moving.nodeDown(node);
    this.#tell("node_down", { node, why });
  }

  #leaseLost(why: LeaseLoss): void {
    this.#names.leaseLost();
    this.#owners.tell();
    this.#gateway.guests.logger.warn({ why }, "the node has lost its lease: it owns nothing until it has another");
    this.#tell("lease_lost", { why });
  }

  #leaseRegained(): void {
    void this.#names.leaseRegained();
    this.#owners.tell();
    this.#tell("lease_regained", {});
  }

  /** Under a supervisor that restarts nothing: those that have the specs do. */
  async #startService(spec: Omit<ActorSpec, "kind">): Promise<ActorRef> {
    this.#services ??= this.#system.startChild(dynamicSupervisor({ id: SERVICES }));
    return (await this.#services).startChild({ ...spec, restart: "temporary" });
  }

  /** The next cluster of this system has its own. */
  async #endServices(): Promise<void> {
    if ((await this.#services) === undefined) return;
    await this.#system.terminateChild(SERVICES);
    await this.#system.deleteChild(SERVICES);
  }

  async #terminateService(id: string): Promise<void> {
    const services = await this.#services;
    // It may have ended by itself.
    await services?.terminateChild(id).catch(() => {});
  }

  #checkOwn(what: string, ref: ActorRef): ActorRef {
    const own = this.#gateway.own(checkedReference(ref, what));
    if (own !== undefined) return own;
    const allowed = "an actor of this node that is not gone";
    throw invalidOption(`${what}: ref=${ref.id}, must be ${allowed}`, {
      function: what,
      field: "ref",
      value: ref,
      allowed,
    });
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ActorError) throw error;
      const message = `${what}: the bucket of cluster ${this.#options.cluster} does not answer`;
      throw new ActorError("ERR_CLUSTER_ENGINE", message, { found: this.#engine.found, cause: error });
    }
  }
}

/** @internal */
export async function joinBy(system: ActorSystem, engine: Engine, options: FullOptions): Promise<Cluster> {
  requireSystem("joinCluster", system);
  const startedAt = await startAfterFormer(engine.bucket, options.node);
  return new Cluster(system, engine, options, startedAt).join();
}
