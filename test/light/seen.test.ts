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
      text.includes('emqx_go_light_actors_ended_total{type="member",supervisor="root/members"} 1')
    );
  });
  const text = await registry.metrics();
  const of = '{type="member",supervisor="root/members"}';
  for (const line of [
    `light_actors${of} 49`,
    `light_actors_crashed_total${of} 0`,
    `light_actors_mailbox_length${of} 7`,
    // `hold` and `stop`.
    `light_actors_messages_handled_total${of} 2`,
  ]) {
    expect(text).toContain(`emqx_go_${line}\n`);
  }
  expect(text).not.toContain("root/members/m");
  await refs[2].call("release", "first");
  await held;
  await refs[3].call("crash", "x").catch(() => {});
  await refs[0].cast("exit", 1);
  await eventually(async () => (await registry.metrics()).includes(`light_actors_crashed_total${of} 26\n`));
  // What was counted stays when a partition ends.
  const handled = /light_actors_messages_handled_total\{[^}]*\} (\d+)/.exec(await registry.metrics())?.[1];
  expect(Number(handled)).toBe(12);
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

test("the observer gives light actors by the page, and the tree says how many there are", async () => {
  const { system, supervisor, refs } = await many();
  const observer = await startObserver(system, { token: "open" });
  onTestFinished(() => observer.close());
  const asked = async (query: string) => {
    const response = await fetch(new URL(`/api/children?${query}`, observer.url));
    return { status: response.status, ...((await response.json()) as { members: { id: string; queued: number }[] }) };
  };
  // Even numbers are in partition 0.
  const held = refs[6].call("hold", "first");
  await eventually(() => refs[6].stats().mailbox.handled === 1);
  for (let i = 0; i < 3; i++) await refs[6].cast("note", i);
  const queue = await asked("of=root/members&partition=0&limit=2");
  expect(queue).toMatchObject({
    status: 200,
    more: true,
    members: [
      { id: "m6", queued: 3 },
      { id: "m0", queued: 0 },
    ],
  });
  expect((await asked("of=root/members&partition=0&sort=queue&after=m6&limit=1")).members[0].id).toBe("m0");
  const seen: string[] = [];
  for (let after = ""; ; after = `&after=${seen.at(-1)}`) {
    const { members } = await asked(`of=root/members&partition=1&sort=id&limit=7${after}`);
    seen.push(...members.map(({ id }) => id));
    // One that a page ends with has ended when the next is asked for: the pages go on.
    if (seen.length === 7) await supervisor.terminateChild(seen[6]);
    if (members.length < 7) break;
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `m${2 * i + 1}`).sort());
  for (const [query, status] of [
    ["of=root/nothing", 404],
    ["of=elsewhere/members", 404],
    ["of=root/members&partition=2", 400],
    ["of=root/members&limit=0", 400],
    ["of=root/members&sort=name", 400],
    ["of=root/members/0", 404],
  ] as const) {
    expect({ query, status: (await asked(query)).status }).toEqual({ query, status });
  }
  const rows = system.tree().children?.[0].children;
  expect(rows?.map(({ id, members }) => [id, members])).toEqual([
    ["root/members/0", 25],
    ["root/members/1", 24],
  ]);
  // A partition, and one light actor, can be acted upon.
  const act = (id: string, action: string) =>
    fetch(new URL("/api/actions", observer.url), {
      method: "POST",
      headers: { authorization: "Bearer open", "content-type": "application/json" },
      body: JSON.stringify({ id, action }),
    });
  expect((await act("root/members/1", "kill")).status).toBe(200);
  await eventually(() => supervisor.partitions()[1].members === 0);
  await refs[0].call("release", "first");
  await held;
});
