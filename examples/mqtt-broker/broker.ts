import { type Observer, registerMetrics, startObserver } from "@mini-otp/metrics";
import { type ActorRef, type ActorSystem, dynamicSupervisor, resource } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import type ClientsActor from "./clients.actor.js";
import { MAX_PARTITIONS } from "./core/connection-id.js";
import { type Gateway, openGateway } from "./gateway.js";
import { registerCounts } from "./metrics.js";
import type PartitionActor from "./partition.actor.js";
import type TopicsActor from "./topics.actor.js";

export interface BrokerOptions {
  readonly port: number;
  readonly host?: string;
  /** Of the page that has `/metrics` too. */
  readonly observePort: number;
  /** Threads for connections. */
  readonly partitions: number;
  /** Threads for topics. */
  readonly topics: number;
}

export interface Broker {
  readonly port: number;
  readonly metricsUrl: string;
  readonly partitions: readonly ActorRef<typeof PartitionActor>[];
}

const actor = (name: string): URL => new URL(`./${name}.actor.js`, import.meta.url);

/**
 * Starts the broker's actors under the system's root, which is rest_for_one: topics and clients first, because the
 * partitions know them, then the partitions, then the gateway. If topics or clients crash, everything starts again, and
 * the clients connect again; a partition that crashes takes its own connections along and no others.
 */
export async function startBroker(system: ActorSystem, options: BrokerOptions): Promise<Broker> {
  const { port, host = "127.0.0.1", observePort } = options;
  requireCount("partitions", options.partitions, MAX_PARTITIONS);
  requireCount("topics", options.topics, MAX_PARTITIONS);

  // No restart here: what they know about the connections would be lost, so the root restarts the connections as well.
  const routing = await system.startChild(dynamicSupervisor({ id: "routing", intensity: 0 }));
  const topics: ActorRef<typeof TopicsActor>[] = [];
  for (let index = 0; index < options.topics; index++) {
    topics.push(
      await routing.startChild<typeof TopicsActor>({
        id: `topics-${index}`,
        name: `topics-${index}`,
        actor: actor("topics"),
        heapCapMb: 256,
        mailbox: { capacity: 1_024, capacityBytes: 4 * 2 ** 20 },
      }),
    );
  }
  const clients = await routing.startChild<typeof ClientsActor>({
    id: "clients",
    name: "clients",
    actor: actor("clients"),
    args: { topics },
    heapCapMb: 256,
    mailbox: { capacity: 16_384, capacityBytes: 8 * 2 ** 20 },
  });

  const threads = await system.startChild(dynamicSupervisor({ id: "partitions", intensity: 10, periodMs: 10_000 }));
  const partitions: ActorRef<typeof PartitionActor>[] = [];
  for (let index = 0; index < options.partitions; index++) {
    partitions.push(
      await threads.startChild<typeof PartitionActor>({
        id: `partition-${index}`,
        // Metrics have a series for each name.
        name: `partition-${index}`,
        actor: actor("partition"),
        args: { index, topics, clients },
        heapCapMb: 256,
        offHeapCapMb: 256,
        handlerTimeoutMs: 5_000,
        // Its connections are gone with it, so nothing is left to deliver to.
        mailbox: { capacity: 4_096, capacityBytes: 8 * 2 ** 20, onRestart: "drop", blockTimeoutMs: 1_000 },
      }),
    );
  }

  const observer: Observer = await system.startChild(
    resource({
      id: "observer",
      start() {
        const { registry } = registerMetrics(system, { registry: new Registry(), prefix: "emqx_go_" });
        registerCounts(registry, partitions, topics);
        return startObserver(system, { host, port: observePort, registry });
      },
      stop: (page) => page.close(),
    }),
  );
  const gateway: Gateway = await system.startChild(
    resource({
      id: "gateway",
      start: ({ fail }) => openGateway({ port, host, partitions, topics, fail }),
      stop: (open) => open.stop(),
      shutdown: 8_000,
    }),
  );
  return { port: gateway.port, metricsUrl: `${observer.url}/metrics`, partitions };
}

function requireCount(field: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${field} is ${value}, must be a whole number from 1 to ${most}`);
}
