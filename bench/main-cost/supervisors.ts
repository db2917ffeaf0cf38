import { dynamicSupervisor, type ResourceContext, resource, startSystem, supervisor } from "@mini-otp/runtime";
import { asyncCostsUs, cpuUs } from "./measure.js";

const CALLS = 200;

/** Children on main start at once, so the rest is the cost of supervision itself. */
class Family {
  readonly children: number;
  readonly #contexts = new Map<string, ResourceContext>();
  #started = (): void => {};
  #system: Awaited<ReturnType<typeof startSystem>> | undefined;

  constructor(children: number) {
    this.children = children;
  }

  async start(): Promise<void> {
    // Enough restarts for the bench, and none remembered for long.
    const many = dynamicSupervisor({ id: "many", intensity: 1e9, periodMs: 1 });
    this.#system = await startSystem({ logger: false, children: [many] });
    for (let i = 0; i < this.children; i++) await this.#many.startChild(this.#specOf(`c${i}`));
  }

  readonly startOne = async (index: number): Promise<void> => {
    await this.#many.startChild(this.#specOf(`extra-${index}`));
    await this.#many.terminateChild(`extra-${index}`);
  };

  readonly restartOne = async (index: number): Promise<void> => {
    const restarted = new Promise<void>((resolve) => {
      this.#started = resolve;
    });
    this.#contexts.get(`c${(index * 37) % this.children}`)?.fail(new Error("boom"));
    await restarted;
  };

  stop(): Promise<unknown> | undefined {
    return this.#system?.stop();
  }

  /** CPU µs of one child, when as many in a row are stopped one after the other under a deadline. */
  async stopUs(): Promise<number> {
    const children = Array.from({ length: this.children }, (_, i) => this.#specOf(`c${i}`));
    const system = await startSystem({ logger: false, children: [supervisor({ id: "row", children })] });
    const before = cpuUs();
    await system.stop({ timeoutMs: 60_000 });
    return (cpuUs() - before) / this.children;
  }

  get #many() {
    return this.#system!.child("many");
  }

  #specOf(id: string) {
    return resource({
      id,
      start: (context: ResourceContext) => {
        this.#contexts.set(id, context);
        queueMicrotask(() => this.#started());
      },
      stop: () => {},
    });
  }
}

function row(what: string, [few, many]: readonly number[]): void {
  const shown = [few, many].map((us) => us.toFixed(1).padStart(9)).join("");
  console.log(`${what.padEnd(32)}${shown}   × ${(many / few).toFixed(2)}`);
}

/** Both at once and in turn, so that they share one heap, one garbage collector and one speed of the machine. */
export async function supervisorCosts(few: number, many: number): Promise<void> {
  const families = [new Family(few), new Family(many)];
  for (const family of families) await family.start();
  console.log(`${"CPU µs of main, by children".padEnd(32)}${String(few).padStart(9)}${String(many).padStart(9)}`);
  const startUs = await asyncCostsUs(
    CALLS,
    families.map(({ startOne }) => startOne),
  );
  row("start and stop of one more", startUs);
  const restartUs = await asyncCostsUs(
    CALLS,
    families.map(({ restartOne }) => restartOne),
  );
  row("crash and restart of one", restartUs);
  for (const family of families) await family.stop();
  await families[1].stopUs();
  row("stop of each, one by one", [await families[0].stopUs(), await families[1].stopUs()]);
}
