export type { BucketEntry } from "../engine/engine.js";
export type { BucketBackup } from "../engine/memory-engine.js";
export { TestCluster, type TestClusterOptions, type TestNode, testCluster } from "./test-cluster.js";
