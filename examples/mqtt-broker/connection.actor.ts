import { type ActorContext, defineActor } from "@mini-otp/worker-host";
import { Connection } from "./core/connection.js";
import type { Message } from "./core/message.js";
import type { SessionState } from "./core/session.js";
import type { Partition } from "./partition/partition.js";
import type { RelayedWire } from "./partition/relay.js";

/** What the hub hands over: the things themselves, because they are in the same thread. */
export interface Handed {
  readonly id: number;
  readonly wire: RelayedWire;
  readonly partition: Partition;
}

interface State {
  readonly connection: Connection;
  readonly wire: RelayedWire;
  readonly partition: Partition;
}

/** One client's connection. What it throws ends this connection and no other. */
export default defineActor({
  init(_args: undefined, ctx): State {
    const { id, wire, partition } = ctx.handed as Handed;
    const connection = new Connection(id, wire, partition, partition.counts, Date.now());
    // However this life ends: the rest of the broker hears of it, and the client is let go.
    ctx.own(connection, () => {
      connection.closed();
      partition.ended(id);
      wire.end();
    });
    ctx.on(wire, "readable", "read");
    ctx.on(wire, "drain", "drained");
    partition.began(connection);
    ctx.continueWith("read");
    return { connection, wire, partition };
  },
  handlers: {
    read(ctx) {
      const { connection, wire } = ctx.state;
      const now = Date.now();
      for (const bytes of wire.read()) connection.receive(bytes, now);
      if (wire.isClosed) connection.closed();
      leaveIfClosed(ctx);
    },
    drained(ctx) {
      ctx.state.connection.drained(Date.now());
    },
    deliver(ctx, message: Message, flags: number) {
      ctx.state.connection.deliver(message, flags, Date.now());
    },
    granted(ctx, session: SessionState | null) {
      ctx.state.connection.granted(session ?? undefined, Date.now());
      leaveIfClosed(ctx);
    },
    confirmed(ctx) {
      ctx.state.connection.confirmed(Date.now());
      leaveIfClosed(ctx);
    },
    resume(ctx) {
      ctx.state.connection.resume(Date.now());
      leaveIfClosed(ctx);
    },
    takenOver(ctx, by: number, clean: boolean) {
      const { connection, partition } = ctx.state;
      partition.handOver(connection, connection.takenOver(), by, clean);
      leaveIfClosed(ctx);
    },
    tick(ctx) {
      ctx.state.connection.tick(Date.now());
      leaveIfClosed(ctx);
    },
    drain(ctx) {
      ctx.state.connection.drain();
    },
    goodbye(ctx) {
      ctx.state.connection.goodbye();
      leaveIfClosed(ctx);
    },
  },
});

function leaveIfClosed(ctx: ActorContext<State>): void {
  if (ctx.state.connection.isClosed) ctx.stop();
}
