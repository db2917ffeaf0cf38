import { startSystem } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Greeter from "./greeter.actor.js";

test("an actor's TypeScript file loads under vitest", async () => {
  await using system = await startSystem({ logger: false });
  const greeter = await system.startChild<typeof Greeter>({
    id: "greeter",
    actor: new URL("./greeter.actor.js", import.meta.url),
    startTimeoutMs: 30_000,
  });
  expect(await greeter.call("greet", "Ada")).toBe("hello Ada");
  const failed = await greeter.call("fail").catch((error: unknown) => error as { reason: { error: Error } });
  expect(failed).toMatchObject({ reason: { error: { stack: expect.stringContaining("greeter.actor.ts:16") } } });
});
