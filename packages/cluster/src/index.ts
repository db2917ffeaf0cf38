export { Cluster, type ClusterEvents, type LeaveOptions, type NodeInfo } from "./cluster/cluster.js";
export { joinCluster } from "./cluster/join.js";
export type { ClusterOptions, NatsOptions } from "./cluster/options.js";
export type { Group, GroupChange } from "./groups/groups.js";
export type { LinkEnd } from "./link/link.js";
export { singleton } from "./singleton/singleton.js";
export type { Fence, SingletonSpec } from "./singleton/spec.js";
