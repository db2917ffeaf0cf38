export type { Fence } from "./actor/is-held.js";
export { remote } from "./children/remote.js";
export type { RemoteSpec } from "./children/remote-spec.js";
export { singleton } from "./children/singleton.js";
export type { SingletonSpec } from "./children/singleton-spec.js";
export { Cluster } from "./cluster/cluster.js";
export type { ClusterEvents, NodeInfo } from "./cluster/events.js";
export { joinCluster } from "./cluster/join.js";
export type { ClusterMeters, ClusterReading } from "./cluster/meters.js";
export type { ObservedNode, ObservedNodes, ObservedPage, ObservedRow } from "./cluster/observed.js";
export type {
  AllowOptions,
  AuthOptions,
  ClusterOptions,
  LeaseOptions,
  LeaveOptions,
  NatsOptions,
  TlsOptions,
  WindowOptions,
} from "./cluster/options.js";
export type { BothWays, LinkReading } from "./gateway/link-reading.js";
export type { Group, GroupChange } from "./groups/groups.js";
export type { LinkEnd } from "./link/link.js";
export type { Shards, ShardsSpec } from "./shards/shards-spec.js";
