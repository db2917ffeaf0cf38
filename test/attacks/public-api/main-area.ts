import { createRequire } from "node:module";
import * as metrics from "@mini-otp/metrics";
import * as runtime from "@mini-otp/runtime";
import {
  type ActorSystem,
  dynamicSupervisor,
  pool,
  resource,
  router,
  startSystem,
  supervisor,
} from "@mini-otp/runtime";
import * as testing from "@mini-otp/runtime/testing";
import * as workerHost from "@mini-otp/worker-host";
import { createNoopMeter } from "@opentelemetry/api";
import type { Area } from "./attack.js";
import { Random } from "./random.js";

const { Registry } = createRequire(import.meta.resolve("@mini-otp/metrics"))(
  "prom-client",
) as typeof import("prom-client");
const target = new URL("../fixtures/target.actor.js", import.meta.url);
const filename = new URL("../fixtures/any-task.js", import.meta.url);

const MODULES: readonly object[] = [workerHost, runtime, testing, metrics];
const STOP_MS = 500;

/** What a system has that can be called: a new one whenever the one before has been stopped. */
async function createStage(number: number) {
  const system = await startSystem({ logger: false, intensity: 1_000_000, name: `stage ${number}` });
  const actor = await system.startChild({ id: "actor", name: "actor", actor: target });
  const routed = await system.startChild(router({ id: "router", actor: target, size: 1, route: "consistent_hash" }));
  const threads = await system.startChild(pool({ id: "pool", filename, maxThreads: 1 }));
  const below = await system.startChild(supervisor({ id: "below", intensity: 1_000_000 }));
  let context!: runtime.ResourceContext;
  const start = (given: runtime.ResourceContext): object => {
    context = given;
    return {};
  };
  await system.startChild(resource({ id: "door", start, stop: () => {} }));
  const dynamic = await system.startChild(
    dynamicSupervisor({ id: "dynamic", intensity: 1_000_000, template: { actor: target } }),
  );
  const light = await system.startChild(
    dynamicSupervisor({ id: "light", intensity: 1_000_000, threads: { count: 1 }, template: { actor: target } }),
  );
  return { system, actor, routed, threads, below, dynamic, light, door: () => context };
}

type Parts = Awaited<ReturnType<typeof createStage>>;

/** Everything that there is on main. A bystander, in a system of its own, must notice nothing of it. */
export class MainArea implements Area {
  readonly #random: Random;
  readonly #filter: RegExp;
  readonly #bystanders: ActorSystem;
  readonly #bystander: runtime.ActorRef;
  #parts: Parts;
  #stages = 1;
  #ids = 0;
  #clock = testing.virtualClock();
  #probe: testing.Probe = testing.probe();
  #inline: testing.InlineRef;
  #registered: metrics.RegisteredMetrics | undefined;
  #answers = 0;

  private constructor(seed: number, filter: RegExp, system: ActorSystem, parts: Parts, inline: testing.InlineRef) {
    this.#random = new Random(seed + 1);
    this.#filter = filter;
    this.#bystanders = system;
    this.#bystander = system.child("bystander");
    this.#parts = parts;
    this.#inline = inline;
  }

  static async create(seed: number, filter: RegExp): Promise<MainArea> {
    const system = await startSystem({ logger: false, children: [{ id: "bystander", actor: target }] });
    return new MainArea(seed, filter, system, await createStage(0), await newInline());
  }

  target(name: string): object | undefined {
    const [owner, member] = name.split(".");
    if (!this.#filter.test(name)) return undefined;
    if (member !== undefined) return this.named(owner) as object | undefined;
    return MODULES.find((module) => owner.replace("new ", "") in module);
  }

  named(name: string): unknown {
    const { system, actor, routed, threads, below, dynamic, light } = this.#parts;
    switch (name) {
      case "ActorSystem":
        return system;
      case "ActorRef":
        return this.#random.pick([actor, routed, actor]);
      case "RouterRef":
        return this.#random.pick([routed, routed.forKey("k")]);
      case "SupervisedRouterRef":
        return routed;
      case "PoolRef":
      case "SupervisedPoolRef":
        return threads;
      case "SupervisorRef":
        return below;
      case "AnySupervisorRef":
        return this.#random.pick([below, dynamic]);
      case "Clock":
        return this.#clock;
      case "Timer":
        return this.#clock.setTimer(1_000_000, () => {});
      case "DynamicSupervisorRef":
        return dynamic;
      case "PartitionedSupervisor":
      case "PartitionedSupervisorRef":
        return light;
      case "ResourceContext":
        return this.#parts.door();
      case "Meters":
        return system.meters;
      case "Probe":
        return this.#probe;
      case "InlineRef":
        return this.#inline;
      case "VirtualClock":
        return this.#clock;
      case "Observer":
        return { close: async () => (await metrics.startObserver(this.#bystanders)).close() };
      case "ObserverHandler":
        return metrics.observerHandler(this.#bystanders);
      case "RegisteredMetrics":
        this.#registered ??= metrics.registerMetrics(this.#bystanders, { registry: new Registry() });
        return this.#registered;
      case "ObservedMetrics":
        return metrics.observeMetrics(this.#bystanders, { meter: createNoopMeter() });
      case "ClusterSource":
        return { read: () => ({ links: [] }) };
      case "NodesSource":
        return { list: () => [], page: async () => ({ total: 0, atMs: 0, rows: [] }) };
      case "ObservationTarget":
        return { observe: () => {} };
      case "OpenTelemetryMeter":
        return createNoopMeter();
      case "Registry":
        return new Registry();
      case "URL":
        return new URL(target);
      case "AbortSignal":
        return this.#random.pick([AbortSignal.abort(), new AbortController().signal]);
      case "ActorDefinition":
        return definition();
      case "Error":
        return new Error("an error");
      case "Record":
        return { COLOR: "red" };
      case "Promise":
        return Promise.resolve(1);
      case "ArrayBuffer":
        return new ArrayBuffer(8);
      default:
        return undefined;
    }
  }

  hint(name: string): (() => unknown) | undefined {
    const hint = Object.hasOwn(HINTS, name) ? HINTS[name] : undefined;
    if (hint !== undefined) return () => hint(this.#random, () => `fresh-${this.#ids++}`);
    return name === "system" ? () => this.#parts.system : undefined;
  }

  adjust(call: string, args: unknown[]): unknown[] {
    // Its deadline is five seconds else.
    return call === "Probe.expect" && args[1] === undefined ? [args[0], 1] : args;
  }

  isAlone(call: string): boolean {
    return /heapSnapshot|startTestSystem|\.stop$/.test(call);
  }

  expects(call: string, { message, code }: { readonly message: string; readonly code?: unknown }): boolean {
    if (call === "startObserver") return typeof code === "string" && /^(?:E[A-Z]+|ERR_[A-Z_]+)$/.test(code);
    if (call === "registerMetrics" || call === "startObserver") return message.includes("the registry has a metric");
    // Functions of the user's that cannot be called are called for the user.
    if (/^Probe\.|\.advance$/.test(call) && /^Class constructor|'apply' on a proxy/.test(message)) return true;
    // A message that is no text is refused by the language.
    if (call.startsWith("new ")) return true;
    if (call.startsWith("Probe.expect")) return /^no message|and none was expected$/.test(message);
    return call === "ActorSystem.cpuProfile" && message.includes("no inspector");
  }

  async undo(call: string, result: any): Promise<void> {
    if (UNDOING.test(call)) result();
    if (result instanceof runtime.ActorSystem) await result.stop({ timeoutMs: STOP_MS });
    if (call === "startObserver") await result.close();
    if (call === "observerHandler") result.close();
    if (call === "registerMetrics" || call === "observeMetrics") result.unregister();
    if (call === "ActorSystem.heapSnapshot") for await (const _ of result);
    if (/\.(?:trace|events)$/.test(call)) await result.return();
    if (call.endsWith(".startChild")) await this.#forget(call, result);
    if (call === "SupervisedRouterRef.resize") await this.#parts.routed.resize(1).catch(() => {});
    if (call === "runInline") await result.exit("kill");
    if (call === "probe") result.close();
    if (call === "Probe.close") this.#probe = testing.probe();
    if (/^InlineRef\.(?:stop|exit)/.test(call)) this.#inline = await newInline();
  }

  async check(): Promise<void> {
    const { system, actor } = this.#parts;
    if ((await this.#bystander.call("heard")) !== ++this.#answers) throw new Error("the bystander was started again");
    if (system.tree().state === "running") {
      for (const id of ["actor", "router", "pool", "below", "dynamic", "light"])
        await system.restartChild(id).catch(() => {});
      await system.resume(actor).catch(() => {});
      const states = system.whichChildren().map(({ id, state }) => `${id} ${state}`);
      const whole = ["actor", "router", "pool", "below", "dynamic", "light"].every((id) =>
        states.includes(`${id} running`),
      );
      if (whole && (await actor.call("echo", "well")) === "well") return;
    }
    await system.stop({ timeoutMs: STOP_MS });
    this.#parts = await createStage(this.#stages++);
  }

  async close(): Promise<void> {
    this.#registered?.unregister();
    await Promise.all([this.#parts.system, this.#bystanders].map((system) => system.stop({ timeoutMs: STOP_MS })));
  }

  async #forget(call: string, result: any): Promise<void> {
    const { system, below, dynamic, light } = this.#parts;
    const parents = {
      ActorSystem: system,
      SupervisorRef: below,
      DynamicSupervisorRef: dynamic,
      PartitionedSupervisorRef: light,
    };
    const parent = parents[call.slice(0, call.indexOf(".")) as keyof typeof parents];
    const own = ["actor", "router", "pool", "below", "dynamic", "light", "door"];
    const [found] = parent.whichChildren().filter(({ ref, id }) => ref === result && !own.includes(id));
    if (found === undefined) return;
    await parent.terminateChild(found.id).catch(() => {});
    await parent.deleteChild(found.id).catch(() => {});
  }
}

function definition(): object {
  return workerHost.defineActor({ handlers: { echo: (_ctx, value: unknown) => value, heard: () => 1 } });
}

async function newInline(): Promise<testing.InlineRef> {
  return testing.runInline(definition() as never, undefined as never) as never;
}

/** What these return takes them back. */
const UNDOING = /^handleSignals$|\.(?:on|onLog|onGone|monitor)$/;

type Hint = (random: Random, fresh: () => string) => unknown;
const from =
  (...values: readonly unknown[]): Hint =>
  (random) =>
    random.pick(values);

/** Right values of what a type says too little of; and few threads, and little time. */
const HINTS: Readonly<Record<string, Hint>> = {
  actor: from(target, target.href),
  module: from(target),
  filename: from(filename),
  id: (random, fresh) => random.pick([fresh(), fresh(), "actor", "pool", "nobody"]),
  name: (random, fresh) => random.pick([fresh(), "actor"]),
  method: from("echo", "heard", "fail", "nowhere"),
  minThreads: from(0, 1),
  maxThreads: from(1, 2),
  concurrentTasksPerWorker: from(1, 2),
  size: from(1, 2),
  spares: from(0, 1),
  heapCapMb: from(16, 64),
  offHeapCapMb: from(16, 64),
  headroomMb: from(16, 4_096),
  totalMb: from(100, 100_000),
  startTimeoutMs: from(1, 3_000),
  handlerTimeoutMs: from(100, 3_000, Infinity),
  taskTimeoutMs: from(100, 3_000, Infinity),
  shutdown: from(0, 100, "brutal_kill"),
  timeoutMs: from(0, 1, 50, 3_000),
  ms: from(1, 5),
  deadlineMs: from(0, 1, 5),
  forMs: from(0, 1, 5),
  onZombie: from("report"),
  execArgv: from([], ["--no-warnings"]),
  children: (_random, fresh) => [{ id: fresh(), actor: target }],
  start: () => () => ({ open: true }),
  stop: () => () => {},
  logger: from(false, console),
  host: from("127.0.0.1"),
  port: from(0),
  token: from("token"),
  prefix: from("x_"),
  transfer: (random) => random.pick([[], [new ArrayBuffer(8)]]),
  transferList: (random) => random.pick([[], [new ArrayBuffer(8)]]),
  clock: () => testing.virtualClock(),
  random: () => () => 0.5,
  task: from(1, { a: 1 }),
};
