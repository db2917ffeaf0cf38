import { type Observer, registerMetrics, startObserver } from "@mini-otp/metrics";
import { type ActorRef, type ActorSystem, dynamicSupervisor, resource } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import type ClientsActor from "./clients.actor.js";
import { MAX_PARTITIONS } from "./core/connection-id.js";
import { type Gateway, type HubOf, openGateway } from "./gateway.js";
import type HubActor from "./hub.actor.js";
import { registerCounts } from "./metrics.js";
import type TopicsActor from "./topics.actor.js";

export interface BrokerOptions {
  readonly port: number;
  readonly host?: string;
  /** Of the page that has `/metrics` too. */
  readonly observePort: number;
  /** Threads for connections: each connection is a light actor in one of them. */
  readonly partitions: number;
  /** Threads for topics. */
  readonly topics: number;
}

export interface Broker {
  readonly port: number;
  readonly metricsUrl: string;
  readonly partitions: readonly HubOf[];
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

  const connections = await system.startChild(
    dynamicSupervisor({
      id: "partitions",
      threads: { count: options.partitions, heapCapMb: 512, offHeapCapMb: 256 },
      perThread: [
        {
          id: "hub",
          actor: actor("hub"),
          args: { topics, clients },
          mailbox: { capacity: 4_096, capacityBytes: 8 * 2 ** 20, blockTimeoutMs: 1_000 },
        },
      ],
      template: {
        actor: actor("connection"),
        handlerTimeoutMs: 5_000,
        mailbox: { capacity: 1_024, capacityBytes: 2 ** 20, overflow: "reject" },
      },
      intensity: 10,
      periodMs: 10_000,
    }),
  );
  /** Each time anew: a partition that has ended has another hub. */
  const partitions: readonly HubOf[] = Array.from(
    { length: options.partitions },
    (_, index) => () => connections.child<typeof HubActor>(`hub@${index}`),
  );

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
