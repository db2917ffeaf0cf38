import type { ActorSystem } from "@mini-otp/runtime";
import { Guests } from "@mini-otp/runtime/guests";
import { requireSystem } from "@mini-otp/runtime/options";
import { clusterJoins, clusterLeft } from "../children/clusters.js";
import { connectNats } from "../engine/nats-engine.js";
import { type Cluster, joinBy } from "./cluster.js";
import { type NatsOptions, takeNatsOptions } from "./options.js";

/**
 * Joins a cluster over NATS. Resolves when this node has its lease: then it may own names, and the others come to see it.
 * After a crash that is when the lease of the incarnation before has ended, at most `lease.takeOverMs` + 2 s.
 *
 * A system is in one cluster at a time: it may join another when it has left the first.
 *
 * Rejects with ERR_INVALID_OPTION (also for a system that is in a cluster, or joins one), ERR_CLUSTER_AUTH, ERR_CLUSTER_ENGINE
 * (`found`, `needed`: no server, no JetStream, or `replicas` over 1 on a server before 2.10), ERR_NODE_NAME_TAKEN (a node of this
 * name runs, in this process or another). Main only.
 */
export async function joinCluster(system: ActorSystem, options: NatsOptions): Promise<Cluster> {
  requireSystem("joinCluster", system);
  const { nats, full } = takeNatsOptions(options);
  const { logger } = new Guests(system);
  clusterJoins(system, full.cluster);
  try {
    const engine = await connectNats(nats, (facts, message) => logger.warn(facts, message));
    return await joinBy(system, engine, full);
  } catch (error) {
    clusterLeft(system);
    throw error;
  }
}
