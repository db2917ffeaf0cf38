import type { ClusterMetric, LinkMetric, Without } from "./metric.js";

const MS = 1000;

const cluster = (metric: Without<ClusterMetric, never>): ClusterMetric => ({ of: "cluster", type: "gauge", ...metric });
const link = (metric: Without<LinkMetric, never>): LinkMetric => ({ of: "link", type: "gauge", ...metric });
const counted = (metric: Without<LinkMetric, never>): LinkMetric => ({ of: "link", type: "counter", ...metric });

/** Registered for a system that is in a cluster. */
export const CLUSTER_METRICS: readonly (ClusterMetric | LinkMetric)[] = [
  cluster({
    name: "cluster_nodes",
    help: "Other nodes that are connected, by state.",
    unit: "nodes",
    by: "state",
    read: ({ nodes }) => nodes,
  }),
  cluster({
    name: "cluster_connected",
    help: "1 while there is a connection to NATS.",
    unit: "flag",
    read: ({ isConnected }) => Number(isConnected),
  }),
  cluster({
    name: "cluster_lease_held",
    help: "1 while this node may own names and singletons.",
    unit: "flag",
    read: ({ isLeaseHeld }) => Number(isLeaseHeld),
  }),
  cluster({
    name: "cluster_lease_age_seconds",
    help: "How long ago the last renewal of the lease that was accepted was sent.",
    unit: "seconds",
    read: ({ leaseAgeMs }) => leaseAgeMs / MS,
  }),
  cluster({
    name: "cluster_names",
    help: "Names of the cluster that this node knows.",
    unit: "names",
    read: ({ names }) => names,
  }),
  cluster({
    name: "cluster_shards",
    help: "Shards that this node holds, and those that are on their way to or from it.",
    unit: "shards",
    by: "state",
    read: ({ shards }) => shards,
  }),
  cluster({
    name: "cluster_gateway_lag_seconds",
    help: "How late the thread of the gateway was for its last heartbeat.",
    unit: "seconds",
    read: ({ gatewayLagMs }) => gatewayLagMs / MS,
  }),
  {
    of: "cluster",
    name: "cluster_bucket_seconds",
    help: "Time that the bucket took to answer.",
    unit: "seconds",
    type: "histogram",
    read: ({ bucket }) => bucket,
  },
  {
    of: "cluster",
    name: "cluster_bucket_failures_total",
    help: "Questions to the bucket that were not answered, or with an error.",
    unit: "events",
    type: "counter",
    read: ({ bucketFailures }) => bucketFailures,
  },
  link({
    name: "cluster_link_rtt_seconds",
    help: "How long a frame took to the other node and back when it was last asked.",
    unit: "seconds",
    read: ({ rttMs }) => (rttMs === undefined ? undefined : rttMs / MS),
  }),
  counted({
    name: "cluster_link_frames_total",
    help: "Frames, which are NATS messages, to and from the other node.",
    unit: "frames",
    by: "direction",
    read: ({ frames }) => frames,
  }),
  counted({
    name: "cluster_link_records_total",
    help: "Messages, replies and signals to and from the other node.",
    unit: "records",
    by: "direction",
    read: ({ records }) => records,
  }),
  counted({
    name: "cluster_link_bytes_total",
    help: "Bytes of frames to and from the other node.",
    unit: "bytes",
    by: "direction",
    read: ({ bytes }) => bytes,
  }),
  counted({
    name: "cluster_link_resent_total",
    help: "Frames that were sent again, because no acknowledgement had come.",
    unit: "frames",
    read: ({ resent }) => resent,
  }),
  counted({
    name: "cluster_link_damaged_total",
    help: "Frames and records that were dropped: of another session, not expected, or no gateway's.",
    unit: "frames",
    read: ({ damaged }) => damaged,
  }),
  counted({
    name: "cluster_link_window_full_seconds_total",
    help: "Time in which nothing new could be sent, because the other node had not acknowledged what was.",
    unit: "seconds",
    read: ({ windowFullMs }) => windowFullMs / MS,
  }),
  link({
    name: "cluster_remote_actors",
    help: "Actors of the other node that references here lead to.",
    unit: "actors",
    read: ({ proxies }) => proxies,
  }),
  link({
    name: "cluster_calls_in_doubt",
    help: "Calls to the other node that have left and are not answered.",
    unit: "calls",
    read: ({ callsInDoubt }) => callsInDoubt,
  }),
];
