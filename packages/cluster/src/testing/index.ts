export type { BucketBackup } from "../engine/memory-engine.js";
export { TestCluster, type TestClusterOptions, type TestNode, testCluster } from "./test-cluster.js";
