import { registerMetrics, startObserver } from "@mini-otp/metrics";
import { dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

const actor = new URL("./fixtures/member.actor.js", import.meta.url);

async function many() {
  const spec = dynamicSupervisor({ id: "members", threads: { count: 2, place: "round_robin" }, template: { actor } });
  const system = await testSystem({ children: [spec] });
  const supervisor = system.child("members") as PartitionedSupervisorRef;
  const refs = await supervisor.startChildren<typeof Member>(Array.from({ length: 50 }, (_, i) => ({ id: `m${i}` })));
  return { system, supervisor, refs };
}

test("metrics have series for each partition and the supervisor, and none for a light actor", async () => {
  const { system, refs } = await many();
  const registry = new Registry();
  registerMetrics(system, { registry, prefix: "emqx_go_" });
  const held = refs[0].call("hold", "first");
  await eventually(() => refs[0].stats().mailbox.handled === 1);
  for (let i = 0; i < 7; i++) await refs[0].cast("note", i);
  await refs[1].call("stop");
  await eventually(async () => {
    const text = await registry.metrics();
    return (
      text.includes('emqx_go_actor_mailbox_length{type="partition"} 7') &&
      text.includes('emqx_go_light_actors_ended_total{supervisor="root/members"} 1')
    );
  });
  const text = await registry.metrics();
  expect(text).toContain('emqx_go_light_actors{supervisor="root/members"} 49');
  expect(text).not.toContain("root/members/m");
  await refs[2].call("release", "first");
  await held;
});

test("the observer's tree has a row for each partition", async () => {
  const { system } = await many();
  const observer = await startObserver(system);
  onTestFinished(() => observer.close());
  const tree = (await (await fetch(new URL("/api/tree", observer.url))).json()) as object;
  const text = JSON.stringify(tree);
  expect(text).toContain("root/members/1");
  expect(text).not.toContain("root/members/m");
});
