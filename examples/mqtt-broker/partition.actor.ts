import { type DeferredReply, defineActor } from "@mini-otp/worker-host";
import type { Connection } from "./core/connection.js";
import type { Message } from "./core/message.js";
import type { SessionState } from "./core/session.js";
import { Partition, type PartitionArgs } from "./partition/partition.js";
import {
  type Batch,
  BatchWriter,
  CLOSED,
  DATA,
  DESTROY,
  OPEN,
  RelayedWire,
  readBatch,
  TAKEN,
} from "./partition/relay.js";

const TICK_MS = 500;

interface Relayed {
  readonly wire: RelayedWire;
  readonly connection: Connection;
}

interface State {
  readonly partition: Partition;
  readonly relayed: Map<number, Relayed>;
  /** Wires with something for main. */
  dirty: RelayedWire[];
  /** What main has to do about sockets that are not known here. */
  readonly strays: number[];
  /** Main waits for output. */
  output: DeferredReply<Batch> | undefined;
  flushing: boolean;
}

/** A thread full of connections. Its handlers never wait: see Mail. */
export default defineActor({
  init(args: PartitionArgs, ctx): State {
    for (const actor of [...args.topics, args.clients])
      void actor.cast("attach", args.index, ctx.incarnation, ctx.self);
    ctx.sendInterval(TICK_MS, "tick");
    return {
      partition: new Partition(args, ctx.incarnation),
      relayed: new Map(),
      dirty: [],
      strays: [],
      output: undefined,
      flushing: false,
    };
  },
  handlers: {
    /** From main: what its sockets have done. */
    input({ state }, batch: Batch) {
      const now = Date.now();
      readBatch(batch, (kind, socket, n, bytes) => {
        if (kind === OPEN) {
          const wire = new RelayedWire(socket, (dirty) => {
            state.dirty.push(dirty);
            scheduleOutput(state);
          });
          state.relayed.set(socket, { wire, connection: state.partition.open(wire) });
          return;
        }
        const relayed = state.relayed.get(socket);
        if (relayed === undefined) {
          if (kind !== DATA) return;
          state.strays.push(socket);
          scheduleOutput(state);
        } else if (kind === DATA) relayed.connection.receive(bytes, now);
        else if (kind === TAKEN) {
          relayed.wire.taken(n);
          relayed.connection.drained(now);
        } else if (kind === CLOSED) {
          state.relayed.delete(socket);
          state.partition.closed(relayed.connection);
        }
      });
    },
    /** Main asks for what its sockets are to do. The answer comes once there is something. */
    output(ctx): DeferredReply<Batch> {
      const reply = ctx.deferReply<Batch>();
      ctx.state.output = reply;
      scheduleOutput(ctx.state);
      return reply;
    },
    deliver({ state }, message: Message, targets: readonly number[]) {
      state.partition.deliver(message, targets);
    },
    confirmed({ state }, id: number) {
      state.partition.confirmed(id);
    },
    granted({ state }, id: number, clientId: string, session: SessionState | null, from: number) {
      state.partition.granted(id, clientId, session, from);
    },
    takeOver({ state }, id: number, clientId: string, by: number, clean: boolean) {
      state.partition.takeOver(id, clientId, by, clean);
    },
    tick({ state }) {
      state.partition.tick();
    },
    drain({ state }) {
      state.partition.drain();
    },
    goodbye({ state }) {
      state.partition.goodbye();
    },
    counts({ state: { partition } }) {
      return { ...partition.counts, connections: partition.connections, parked: partition.parked };
    },
  },
});

/** After this turn, so that what several messages have made goes to main in one batch. */
function scheduleOutput(state: State): void {
  if (state.flushing || state.output === undefined || (state.dirty.length === 0 && state.strays.length === 0)) return;
  state.flushing = true;
  setImmediate(() => {
    state.flushing = false;
    const { output } = state;
    if (output === undefined) return;
    const batch = new BatchWriter();
    for (const socket of state.strays.splice(0)) batch.add(DESTROY, socket);
    let done = 0;
    while (done < state.dirty.length && !batch.isFull && state.dirty[done].moveTo(batch)) done++;
    state.dirty = state.dirty.slice(done);
    if (batch.isEmpty) return;
    state.output = undefined;
    output.reply(batch.take());
  });
}
