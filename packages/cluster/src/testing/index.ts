export { TestCluster, type TestClusterOptions, type TestNode, testCluster } from "./test-cluster.js";
