import { dynamicSupervisor, type ResourceContext, resource, startSystem, supervisor } from "@mini-otp/runtime";
import { asyncCostUs } from "./measure.js";

const CALLS = 200;

interface Costs {
  readonly startUs: number;
  readonly restartUs: number;
  /** Of one child, when all are stopped one after the other under a deadline. */
  readonly stopUs: number;
}

/** Children on main, which are up at once: what is left is what supervision itself costs. */
async function costsOf(children: number): Promise<Costs> {
  const system = await startSystem({ logger: false, children: [dynamicSupervisor({ id: "many", intensity: 1e9 })] });
  const many = system.child("many");
  const contexts = new Map<string, ResourceContext>();
  let up = (): void => {};
  const specOf = (id: string) =>
    resource({
      id,
      start: (context: ResourceContext) => {
        contexts.set(id, context);
        queueMicrotask(() => up());
      },
      stop: () => {},
    });
  for (let i = 0; i < children; i++) await many.startChild(specOf(`c${i}`));

  const startUs = await asyncCostUs(CALLS, async (index) => {
    await many.startChild(specOf(`extra-${index}`));
    await many.terminateChild(`extra-${index}`);
  });
  const restartUs = await asyncCostUs(CALLS, async (index) => {
    const restarted = new Promise<void>((resolve) => (up = resolve));
    contexts.get(`c${(index * 37) % children}`)?.fail(new Error("boom"));
    await restarted;
  });
  await system.stop();
  return { startUs, restartUs, stopUs: await stopCostUs(children, specOf) };
}

async function stopCostUs(children: number, specOf: (id: string) => ReturnType<typeof resource>): Promise<number> {
  const row = supervisor({ id: "row", children: Array.from({ length: children }, (_, i) => specOf(`c${i}`)) });
  const system = await startSystem({ logger: false, children: [row] });
  const before = process.cpuUsage();
  await system.stop({ timeoutMs: 60_000 });
  const { user, system: kernel } = process.cpuUsage(before);
  return (user + kernel) / children;
}

export async function supervisorCosts(few: number, many: number): Promise<void> {
  // Compiled code first.
  await costsOf(few);
  await costsOf(few);
  const [one, two] = [await costsOf(few), await costsOf(many)];
  const row = (what: string, key: keyof Costs): void =>
    console.log(
      `${what.padEnd(34)} ${one[key].toFixed(1).padStart(8)} ${two[key].toFixed(1).padStart(8)}  × ${(two[key] / one[key]).toFixed(2)}`,
    );
  console.log(`CPU µs of main                       ${String(few).padStart(6)} ${String(many).padStart(8)} children`);
  row("start and stop of one more", "startUs");
  row("crash and restart of one", "restartUs");
  row("stop, each, one after the other", "stopUs");
}
