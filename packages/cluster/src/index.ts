export { remote } from "./children/remote.js";
export type { RemoteSpec } from "./children/remote-spec.js";
export { singleton } from "./children/singleton.js";
export type { Fence, SingletonSpec } from "./children/singleton-spec.js";
export { Cluster, type ClusterEvents, type LeaveOptions, type NodeInfo } from "./cluster/cluster.js";
export { joinCluster } from "./cluster/join.js";
export type { ClusterOptions, NatsOptions } from "./cluster/options.js";
export type { Group, GroupChange } from "./groups/groups.js";
export type { LinkEnd } from "./link/link.js";
