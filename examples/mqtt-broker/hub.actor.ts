import { type DeferredReply, defineActor } from "@mini-otp/worker-host";
import type ConnectionActor from "./connection.actor.js";
import type { Handed } from "./connection.actor.js";
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

interface State {
  readonly partition: Partition;
  readonly wires: Map<number, RelayedWire>;
  /** Wires with something for main. */
  dirty: RelayedWire[];
  /** What main has to do about sockets that are not known here. */
  readonly strays: number[];
  /** Main waits for output. */
  output: DeferredReply<Batch> | undefined;
  flushing: boolean;
}

/**
 * One in each partition: it starts the connections there, and what comes for them from other threads comes to it. Its
 * handlers never wait: see Mail.
 */
export default defineActor({
  async init(args: PartitionArgs, ctx): Promise<State> {
    const index = Number(ctx.id.slice(ctx.id.lastIndexOf("@") + 1));
    // Each life of the partition has a number of its own.
    const incarnation: number = await args.clients.call("attach", index, ctx.self);
    for (const topics of args.topics) await topics.cast("attach", index, incarnation, ctx.self);
    ctx.sendInterval(TICK_MS, "tick");
    const wires = new Map<number, RelayedWire>();
    // Without a hub nothing comes to its connections any more.
    ctx.own(wires, () => {
      for (const wire of wires.values()) wire.close();
    });
    return {
      partition: new Partition(args, index, incarnation),
      wires,
      dirty: [],
      strays: [],
      output: undefined,
      flushing: false,
    };
  },
  handlers: {
    /** From main: what its sockets have done. */
    input(ctx, batch: Batch) {
      const { state } = ctx;
      readBatch(batch, (kind, socket, n, bytes) => {
        if (kind === OPEN) {
          const wire = new RelayedWire(socket, (dirty) => {
            state.dirty.push(dirty);
            scheduleOutput(state);
          });
          state.wires.set(socket, wire);
          const { partition } = state;
          const hand: Handed = { id: partition.newId(), wire, partition };
          partition.add(hand.id, ctx.spawn<typeof ConnectionActor>({ id: `connection-${hand.id}` }, { hand }));
          return;
        }
        const wire = state.wires.get(socket);
        if (wire === undefined) {
          if (kind !== DATA) return;
          state.strays.push(socket);
          scheduleOutput(state);
        } else if (kind === DATA) wire.push(bytes);
        else if (kind === TAKEN) wire.taken(n);
        else if (kind === CLOSED) {
          state.wires.delete(socket);
          wire.close();
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
