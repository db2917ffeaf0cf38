import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ActorRef } from "@mini-otp/runtime";
import type HubActor from "./hub.actor.js";
import {
  BATCH_BYTES,
  type Batch,
  BatchWriter,
  CLOSED,
  DATA,
  DESTROY,
  END,
  OPEN,
  PAUSE,
  RESUME,
  readBatch,
  TAKEN,
} from "./partition/relay.js";

/** What clients have at the end to take what was written to them. */
const GOODBYE_MS = 3_000;
/** Before a partition that has ended is asked again. */
const RETRY_MS = 20;

/** The hub of a partition, as long as there is one. */
export type HubOf = () => ActorRef<typeof HubActor> | undefined;

interface Client {
  readonly socket: Socket;
  /** The partition wants to hear no more of it for now. */
  isHeldBack: boolean;
}

/** The sockets of one partition. Main only passes bytes on: on Node 20 a socket cannot be in the partition's own thread. */
class Lane {
  readonly #hubOf: HubOf;
  /** Of the life whose sockets are here. */
  #hub: ActorRef<typeof HubActor> | undefined;
  readonly #clients = new Map<number, Client>();
  #batch = new BatchWriter();
  #sending = false;
  #over = false;
  /** Sockets that have sent something which the partition has not accepted. */
  #unaccepted: Client[] = [];
  isUp = false;
  /** Resolves when it is up for the first time. */
  readonly ready: Promise<void>;

  constructor(hubOf: HubOf) {
    this.#hubOf = hubOf;
    this.ready = new Promise((resolve) => void this.#listen(resolve));
  }

  get size(): number {
    return this.#clients.size;
  }

  add(number: number, socket: Socket): void {
    const client: Client = { socket, isHeldBack: false };
    this.#clients.set(number, client);
    this.#tell(OPEN, number);
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.#batch.addData(number, bytes);
      // One chunk of each client at a time: one that sends without end has no more of the mailbox than the others.
      socket.pause();
      this.#unaccepted.push(client);
      this.#send();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#clients.delete(number)) this.#tell(CLOSED, number);
    });
  }

  closeAll(): void {
    for (const { socket } of this.#clients.values()) socket.destroy();
    this.#clients.clear();
  }

  stop(): void {
    this.#over = true;
    this.closeAll();
  }

  #tell(kind: number, number: number, n = 0): void {
    this.#batch.add(kind, number, n);
    this.#send();
  }

  #send(): void {
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(async () => {
      while (!this.#batch.isEmpty) {
        const accepted = this.#unaccepted;
        this.#unaccepted = [];
        try {
          const batch = this.#batch.take();
          await this.#hub?.cast("input", batch);
        } catch {
          // It has ended, or has hung for longer than its mailbox lets a sender wait.
          this.closeAll();
        }
        for (const client of accepted) if (!client.isHeldBack) client.socket.resume();
      }
      this.#sending = false;
    });
  }

  /** Asks the partition again and again for what the sockets are to do. */
  async #listen(ready: () => void): Promise<void> {
    while (!this.#over) {
      try {
        this.#hub = this.#hubOf();
        const ref = this.#hub?.with({ timeoutMs: Number.POSITIVE_INFINITY });
        if (ref === undefined) throw new Error("it is being started");
        // Only one that is there answers: then sockets may come.
        await ref.call("counts");
        this.isUp = true;
        ready();
        for (;;) this.#obey(await ref.call("output"));
      } catch {
        // The partition has ended, and its connections with it.
        this.isUp = false;
        this.closeAll();
        if (!this.#over) await delay(RETRY_MS);
      }
    }
  }

  #obey(batch: Batch): void {
    readBatch(batch, (kind, number, n, bytes) => {
      const client = this.#clients.get(number);
      if (client === undefined) return;
      const { socket } = client;
      switch (kind) {
        case DATA:
          socket.write(bytes, () => this.#clients.has(number) && this.#tell(TAKEN, number, n));
          break;
        case PAUSE:
          client.isHeldBack = true;
          socket.pause();
          break;
        case RESUME:
          client.isHeldBack = false;
          if (!this.#unaccepted.includes(client)) socket.resume();
          break;
        case END:
          socket.end();
          // What it still sends is read and dropped: unread, it would keep the socket open.
          socket.removeAllListeners("data").resume();
          // A client that does not read would keep it open.
          setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
          break;
        case DESTROY:
          socket.destroy();
          break;
      }
    });
  }
}

export interface Gateway {
  readonly port: number;
  readonly connections: number;
  /** Takes no more clients, and lets those that are there get what has been published for them. */
  stop(): Promise<void>;
}

export interface GatewayParts {
  readonly port: number;
  readonly host: string;
  readonly partitions: readonly HubOf[];
  readonly topics: readonly ActorRef[];
  fail(error: Error): void;
}

export async function openGateway({ port, host, partitions, topics, fail }: GatewayParts): Promise<Gateway> {
  const lanes = partitions.map((hubOf) => new Lane(hubOf));
  let numbers = 0;
  const server: Server = createServer({ highWaterMark: BATCH_BYTES / 4 }, (socket) => {
    const up = lanes.filter(({ isUp }) => isUp);
    if (up.length === 0) socket.destroy();
    else up.reduce((least, lane) => (lane.size < least.size ? lane : least)).add(++numbers, socket);
  });
  server.on("error", fail);
  await Promise.all(lanes.map((lane) => lane.ready));
  server.listen({ port, host, backlog: 4_096 });
  await once(server, "listening");
  const connections = (): number => lanes.reduce((sum, { size }) => sum + size, 0);
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections();
    },
    async stop() {
      server.close();
      const all = (refs: readonly (ActorRef | undefined)[], method: string) =>
        Promise.allSettled(refs.map((ref) => ref?.call(method)));
      const hubs = partitions.map((hubOf) => hubOf());
      // Nothing more comes in; what came in is passed on to the partitions; they write it, and say goodbye.
      await all(hubs, "drain");
      await all(topics, "sync");
      await all(hubs, "goodbye");
      const until = performance.now() + GOODBYE_MS;
      while (connections() > 0 && performance.now() < until) await delay(10);
      for (const lane of lanes) lane.stop();
    },
  };
}
