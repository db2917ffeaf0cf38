import type { HistogramReading } from "@mini-otp/runtime";
import type { LinkReading } from "../gateway/link-reading.js";

/** The numbers of a node's part of the cluster, as they are when they are read. */
export interface ClusterReading {
  /** The others that are connected, by state. */
  readonly nodes: Readonly<Record<"up" | "suspect" | "leaving", number>>;
  /** One for each node with which there is or was a connection. */
  readonly links: readonly LinkReading[];
  /** To NATS. */
  readonly isConnected: boolean;
  /** Whether this node may own names and singletons now. */
  readonly isLeaseHeld: boolean;
  /** How long ago the last renewal of the lease that was accepted was sent. */
  readonly leaseAgeMs: number;
  /** Names of the cluster that this node knows. */
  readonly names: number;
  /** Shards that this node holds, and those that are on their way to or from it; undefined where it has declared none. */
  readonly shards: { readonly held: number; readonly moving: number } | undefined;
  /** How late the gateway's thread was for its last heartbeat. */
  readonly gatewayLagMs: number;
  /** How long the bucket took to answer. */
  readonly bucket: HistogramReading;
  /** Questions to the bucket that were not answered, or with an error. */
  readonly bucketFailures: number;
}

/** Reads the numbers of a node's part of the cluster. Main only; nothing blocks. */
export interface ClusterMeters {
  read(): ClusterReading;
}

export function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}
