import { type ActorRef, defineActor, isActorError } from "@mini-otp/worker-host";
import { incarnationOf, partitionOf } from "./core/connection-id.js";
import { flagsOf, hasExpired, type Message, type Subscription, type SubscriptionOptions } from "./core/message.js";
import { FilterTree, RetainedTree } from "./core/topic-trees.js";

const MAX_RETAINED = 100_000;

interface Client {
  readonly clientId: string;
  connection: number;
  readonly filters: Set<string>;
}

interface Subscriber extends SubscriptionOptions {
  readonly client: Client;
}

interface Partition {
  readonly ref: ActorRef;
  readonly incarnation: number;
  /** It has had no room for as long as its mailbox lets a sender wait: nothing waits for it until it has. */
  isStuck: boolean;
}

/** The subscriptions and the retained messages of a part of the topics: it finds the receivers of each message. */
export default defineActor({
  init: () => ({
    filters: new FilterTree<Subscriber>(),
    retained: new RetainedTree(),
    clients: new Map<string, Client>(),
    partitions: new Map<number, Partition>(),
    monitors: new Map<number, { partition: number; incarnation: number }>(),
    /** By connection, of the message that is being published. */
    targets: new Map<number, number>(),
    published: 0,
    dropped: 0,
  }),
  handlers: {
    attach(ctx, partition: number, incarnation: number, ref: ActorRef) {
      ctx.state.partitions.set(partition, { ref, incarnation, isStuck: false });
      ctx.state.monitors.set(ctx.monitor(ref), { partition, incarnation });
    },
    subscribe({ state }, connection: number, clientId: string, subscriptions: readonly Subscription[]) {
      let client = state.clients.get(clientId);
      // A session that is carried on says so before, by "move": this is a new one.
      if (client !== undefined && client.connection !== connection) {
        removeClient(state, client);
        client = undefined;
      }
      if (client === undefined) {
        client = { clientId, connection, filters: new Set() };
        state.clients.set(clientId, client);
      }
      const found: [Message, number][] = [];
      const now = Date.now();
      for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of subscriptions) {
        const isNew = state.filters.add(filter, clientId, { qos, noLocal, retainAsPublished, client });
        client.filters.add(filter);
        if (retainHandling === 2 || (retainHandling === 1 && !isNew)) continue;
        state.retained.find(filter, (message) => {
          if (!hasExpired(message, now)) found.push([message, flagsOf(message.qos === 1 ? qos : 0, true)]);
        });
      }
      tell(state, partitionOf(connection), "confirmed", connection);
      for (const [message, flags] of found)
        tell(state, partitionOf(connection), "deliver", message, [connection, flags]);
    },
    unsubscribe({ state }, connection: number, clientId: string, filters: readonly string[]) {
      const client = state.clients.get(clientId);
      if (client?.connection === connection) {
        for (const filter of filters) {
          client.filters.delete(filter);
          state.filters.remove(filter, clientId);
        }
        if (client.filters.size === 0) state.clients.delete(clientId);
      }
      tell(state, partitionOf(connection), "confirmed", connection);
    },
    /** The session goes on at another connection. */
    move({ state }, from: number, to: number, clientId: string) {
      const client = state.clients.get(clientId);
      if (client?.connection === from) client.connection = to;
    },
    leave({ state }, connection: number, clientId: string) {
      const client = state.clients.get(clientId);
      if (client?.connection === connection) removeClient(state, client);
    },
    publish({ state }, message: Message) {
      state.published++;
      if (message.retain) retain(state, message);
      const { targets } = state;
      targets.clear();
      state.filters.match(message.topic, ({ client, qos, noLocal, retainAsPublished }) => {
        if (noLocal && client.clientId === message.from) return;
        const flags = flagsOf(message.qos === 1 ? qos : 0, retainAsPublished && message.retain);
        // A client with several filters that match gets it once, in the best way it has asked for.
        targets.set(client.connection, (targets.get(client.connection) ?? 0) | flags);
      });
      if (targets.size === 0) return;
      const byPartition = new Map<number, number[]>();
      for (const [connection, flags] of targets) {
        const partition = partitionOf(connection);
        const list = byPartition.get(partition);
        if (list === undefined) byPartition.set(partition, [connection, flags]);
        else list.push(connection, flags);
      }
      for (const [partition, list] of byPartition) tell(state, partition, "deliver", message, list);
    },
    /** Answers when all that came before is in the mailboxes of the partitions. */
    sync() {},
    counts: ({ state }) => ({
      subscriptions: state.filters.size,
      retained: state.retained.size,
      published: state.published,
      dropped: state.dropped,
    }),
  },
  info({ state }, message: { type: string; monitor: number }) {
    const ended = message.type === "DOWN" ? state.monitors.get(message.monitor) : undefined;
    if (ended === undefined) return;
    state.monitors.delete(message.monitor);
    for (const client of state.clients.values()) {
      const { connection } = client;
      if (partitionOf(connection) === ended.partition && incarnationOf(connection) === ended.incarnation) {
        removeClient(state, client);
      }
    }
  },
});

interface Kept {
  readonly filters: FilterTree<Subscriber>;
  readonly retained: RetainedTree;
  readonly clients: Map<string, Client>;
  readonly partitions: Map<number, Partition>;
  dropped: number;
}

function removeClient(state: Kept, { clientId, filters }: Client): void {
  for (const filter of filters) state.filters.remove(filter, clientId);
  state.clients.delete(clientId);
}

function retain({ retained }: Kept, message: Message): void {
  if (message.payload.byteLength === 0) retained.delete(message.topic);
  else if (retained.size < MAX_RETAINED || retained.has(message.topic)) retained.set(message);
}

/**
 * Waits while the partition has no room: partitions never wait themselves, so it soon has. One that hangs is waited for
 * once, and then loses what it has no room for, until it has room or is restarted.
 */
function tell(state: Kept, index: number, method: string, ...args: unknown[]): void {
  const partition = state.partitions.get(index);
  if (partition === undefined) return;
  const result = partition.ref.tryCast(method, ...args);
  if (result === "ok") {
    partition.isStuck = false;
    return;
  }
  if (result === "full" && !partition.isStuck) {
    try {
      partition.ref.castSync(method, ...args);
      return;
    } catch (error) {
      if (!isActorError(error)) throw error;
      partition.isStuck = true;
    }
  }
  state.dropped++;
}
