import { expect, test } from "vitest";
import { connectNats } from "#cluster/engine/nats-engine.js";
import { NatsServer } from "./nats-server.js";
import { until } from "./until.js";

test("the list of a bucket's keys comes to an end while these change, and has all of them", async () => {
  await using server = await NatsServer.start();
  const options = { cluster: "shop", servers: [server.url] };
  const writer = await connectNats({ ...options, node: "a" }, () => {});
  const reader = await connectNats({ ...options, node: "b" }, () => {});
  const keys = Array.from({ length: 100 }, (_, i) => `name.${i}`);
  const revisions = new Map<string, number | undefined>();
  await writer.bucket.write("node.a", { is: "no name" }, undefined);
  for (const key of keys) revisions.set(key, await writer.bucket.write(key, 0, undefined));
  let over = false;
  const writing = keys.slice(0, 50).map(async (key) => {
    for (let i = 1; !over; i++) revisions.set(key, await writer.bucket.write(key, i, revisions.get(key)));
  });
  try {
    for (let i = 0; i < 10; i++) {
      let listed: string[] | undefined;
      void reader.bucket.list("name.").then((entries) => {
        listed = entries.map(({ key }) => key);
      });
      const found = await until("the list", () => listed);
      expect(found.sort()).toEqual([...keys].sort());
    }
  } finally {
    over = true;
    await Promise.all(writing);
  }
  expect(await writer.bucket.remove("name.0", revisions.get("name.0") as number)).toBe(true);
  const left = await reader.bucket.list("name.");
  expect(left.map(({ key }) => key)).not.toContain("name.0");
  expect(left).toHaveLength(99);
  await Promise.all([writer.close(), reader.close()]);
});
