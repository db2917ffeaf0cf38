import { pool, resource } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import { recordingLogger } from "../support/recording-logger.js";
import { fixture, testSystem } from "../support/system.js";

const filename = new URL("../pool/fixtures/work.js", import.meta.url);

test("whatever the runtime logs of a child, the record names the child's path by the field actor", async () => {
  const { logger, lines } = recordingLogger();
  const system = await testSystem({ logger, intensity: 10, guard: { intervalMs: 5 } });
  const throws = (): never => {
    throw new Error("listener");
  };
  for (const event of ["actor_exited", "dead_letter"] as const) system.on(event, throws);
  const a = await system.startChild<typeof Counter>({ id: "a", actor: fixture("counter"), handlerTimeoutMs: 200 });
  system.monitor(a, throws);
  await system.upgrade(a, fixture("counter"));
  await a.call("crash", "boom").catch(() => {});
  await a.call("spin").catch(() => {});
  const tasks = await system.startChild(pool({ id: "pool", filename, maxThreads: 1 }));
  await tasks.run(7, { name: "exit" }).catch(() => {});
  await system.startChild(resource({ id: "resource", start: () => ({}), stop: throws }));
  await system.stop();
  await a.cast("add", 1).catch(() => {});

  const of = (path: string) => lines.filter(({ fields }) => fields.actor === path).map(({ message }) => message);
  expect(of("root/a")).toEqual(
    expect.arrayContaining([
      "root/a actor_started",
      "root/a upgraded",
      "root/a actor_exited: error (TypeError: boom); root allows 9 more restarts within 5 s",
      "a listener for actor_exited threw",
      "a monitor's listener for root/a threw",
      expect.stringContaining("guard ends root/a: unresponsive"),
      expect.stringContaining("root/a actor_restarted"),
    ]),
  );
  expect(of("root/pool")).toContainEqual(expect.stringContaining("a thread ended before its task exit"));
  expect(of("root/resource")).toContain("root/resource: its stop failed");
  expect(lines.filter(({ fields }) => "id" in fields || "resource" in fields)).toEqual([]);
  expect(lines.filter(({ fields, message }) => message.includes("root") && fields.actor === undefined)).toEqual([]);
});
