import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import { incarnationOf, partitionOf } from "./core/connection-id.js";
import type { Message, Will } from "./core/message.js";
import type { SessionState } from "./core/session.js";
import { partOf } from "./core/topics.js";

interface Claimed {
  readonly connection: number;
  readonly clean: boolean;
  readonly will: Will | null;
}

interface Client {
  owner: Claimed;
  /** Its connection has closed, and its session is kept. */
  isAway: boolean;
  /** Gets the name once the owner has handed the session over. */
  next: Claimed | undefined;
  /** The timer of a will that is published unless the client is back before. */
  willTimer: number | undefined;
}

interface State {
  readonly topics: readonly ActorRef[];
  readonly clients: Map<string, Client>;
  readonly partitions: Map<number, ActorRef>;
  readonly monitors: Map<number, { partition: number; incarnation: number }>;
  /** Of all partitions so far. */
  lives: number;
}

/** Which connection has which client's name, and the wills: they outlive the thread that the connection was in. */
export default defineActor({
  init: ({ topics }: { topics: readonly ActorRef[] }): State => ({
    topics,
    clients: new Map(),
    partitions: new Map(),
    monitors: new Map(),
    lives: 0,
  }),
  handlers: {
    /** A partition has begun. The answer numbers its life. */
    attach(ctx, partition: number, ref: ActorRef) {
      const { partitions, monitors } = ctx.state;
      const incarnation = ++ctx.state.lives;
      partitions.set(partition, ref);
      monitors.set(ctx.monitor(ref), { partition, incarnation });
      return incarnation;
    },
    claim(ctx, connection: number, clientId: string, clean: boolean, will: Will | null) {
      const { state } = ctx;
      const claimed: Claimed = { connection, clean, will };
      const client = state.clients.get(clientId);
      if (client === undefined) {
        state.clients.set(clientId, { owner: claimed, isAway: false, next: undefined, willTimer: undefined });
        grant(state, connection, clientId, null, connection);
        return;
      }
      if (client.willTimer !== undefined) {
        ctx.cancelTimer(client.willTimer);
        client.willTimer = undefined;
      }
      if (client.next !== undefined) {
        // Two at once for the same name: the later one wins, and the one before it never had a session.
        tell(state, client.next.connection, "takeOver", client.next.connection, clientId, connection, true);
        client.next = claimed;
        return;
      }
      client.next = claimed;
      const { owner } = client;
      // As the specification has it, a will with a delay is not published when the session is carried on in time.
      if (!client.isAway && owner.will !== null && (clean || owner.will.delayMs === 0)) publish(state, owner.will);
      tell(state, owner.connection, "takeOver", owner.connection, clientId, connection, clean);
    },
    handover({ state }, from: number, clientId: string, session: SessionState | null) {
      const client = state.clients.get(clientId);
      if (client === undefined || client.owner.connection !== from || client.next === undefined) return;
      hand(state, client, clientId, session);
    },
    left(ctx, connection: number, clientId: string, publishesWill: boolean, keepMs: number) {
      const { state } = ctx;
      const client = state.clients.get(clientId);
      if (client === undefined || client.owner.connection !== connection) return;
      const { will } = client.owner;
      if (!client.isAway && publishesWill && will !== null && client.next === undefined) {
        const delayMs = Math.min(will.delayMs, keepMs);
        if (delayMs === 0) publish(state, will);
        else client.willTimer = ctx.sendAfter(delayMs, "publishWill", connection, clientId);
      }
      client.isAway = true;
      if (keepMs === 0 && client.next === undefined) state.clients.delete(clientId);
    },
    /** A message for a connection that has gone to another partition with its session. */
    forward({ state }, connection: number, message: Message, flags: number) {
      tell(state, connection, "deliver", message, [connection, flags]);
    },
    publishWill({ state }, connection: number, clientId: string) {
      const client = state.clients.get(clientId);
      if (client?.owner.connection !== connection || client.owner.will === null) return;
      client.willTimer = undefined;
      publish(state, client.owner.will);
    },
    sync() {},
    count: ({ state }) => state.clients.size,
  },
  info(ctx, message: { type: string; monitor: number }) {
    const { state } = ctx;
    const ended = message.type === "DOWN" ? state.monitors.get(message.monitor) : undefined;
    if (ended === undefined) return;
    state.monitors.delete(message.monitor);
    const wasThere = (connection: number): boolean =>
      partitionOf(connection) === ended.partition && incarnationOf(connection) === ended.incarnation;
    for (const [clientId, client] of state.clients) {
      if (client.next !== undefined && wasThere(client.next.connection)) client.next = undefined;
      const { owner, next, willTimer } = client;
      if (!wasThere(owner.connection)) continue;
      if (willTimer !== undefined) ctx.cancelTimer(willTimer);
      if (owner.will !== null && next === undefined && (!client.isAway || willTimer !== undefined)) {
        publish(state, owner.will);
      }
      if (next === undefined) state.clients.delete(clientId);
      else hand(state, client, clientId, null);
    }
  },
});

function hand(state: State, client: Client, clientId: string, session: SessionState | null): void {
  const from = client.owner.connection;
  const owner = client.next as Claimed;
  client.owner = owner;
  client.next = undefined;
  client.isAway = false;
  grant(state, owner.connection, clientId, session, from);
}

function grant(state: State, connection: number, clientId: string, session: SessionState | null, from: number): void {
  tell(state, connection, "granted", connection, clientId, session, from);
}

/** It may wait, because partitions never do. To one that has ended nothing is said, because DOWN follows. */
function tell({ partitions }: State, connection: number, method: string, ...args: unknown[]): void {
  partitions
    .get(partitionOf(connection))
    ?.cast(method, ...args)
    .catch(() => {});
}

function publish({ topics }: State, { message, expiresAfterMs }: Will): void {
  const expiresAt = expiresAfterMs > 0 ? Date.now() + expiresAfterMs : 0;
  const now: Message = { ...message, expiresAt };
  topics[partOf(message.topic, topics.length)].cast("publish", now).catch(() => {});
}
