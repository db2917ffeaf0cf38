/* An option that is undefined has its default: each takes it, also where `exactOptionalPropertyTypes` is set. */

import type { MetricsOptions, ObserverHandlerOptions, ObserverOptions } from "@mini-otp/metrics";
import { registerMetrics } from "@mini-otp/metrics";
import type {
  ActorSpec,
  DynamicSupervisorSpec,
  PoolSpec,
  RefOptions,
  ResourceSpec,
  RouterSpec,
  SignalOptions,
  StopOptions,
  SupervisorSpec,
  SystemOptions,
  TraceOptions,
  UpgradeOptions,
} from "@mini-otp/runtime";
import { handleSignals, pool, router, startSystem } from "@mini-otp/runtime";
import type { InlineOptions, ProbeOptions, TestSystemOptions } from "@mini-otp/runtime/testing";
import type { ActorChildOptions, ActorLogOptions } from "@mini-otp/worker-host";
import type Hasher from "./hasher.js";

type OptionalKeys<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];
/** The optional fields that do not take undefined, those of the options within them too. */
type Refusing<T> = {
  [K in OptionalKeys<T>]-?: { readonly [Key in K]: undefined } extends Pick<T, K>
    ? Within<K, Exclude<T[K], undefined>>
    : K;
}[OptionalKeys<T>];
type Within<K, V> = K extends "mailbox" | "backoff" | "guard" | "threads" | "recycle" | "permissions"
  ? V extends object
    ? Refusing<V>
    : never
  : never;

/** The kind names the options and is told in the compiler's complaint. */
type TakesUndefined<T extends object> = [Refusing<T>] extends [never] ? true : Refusing<T>;

export const takes: {
  actor: TakesUndefined<ActorSpec>;
  router: TakesUndefined<RouterSpec>;
  pool: TakesUndefined<PoolSpec>;
  resource: TakesUndefined<ResourceSpec>;
  supervisor: TakesUndefined<SupervisorSpec>;
  dynamicSupervisor: TakesUndefined<DynamicSupervisorSpec>;
  system: TakesUndefined<SystemOptions>;
  reference: TakesUndefined<RefOptions>;
  signals: TakesUndefined<SignalOptions>;
  stop: TakesUndefined<StopOptions>;
  trace: TakesUndefined<TraceOptions>;
  upgrade: TakesUndefined<UpgradeOptions>;
  childOfActor: TakesUndefined<ActorChildOptions>;
  log: TakesUndefined<ActorLogOptions>;
  metrics: TakesUndefined<MetricsOptions>;
  observer: TakesUndefined<ObserverOptions>;
  observerHandler: TakesUndefined<ObserverHandlerOptions>;
  inline: TakesUndefined<InlineOptions>;
  probe: TakesUndefined<ProbeOptions>;
  testSystem: TakesUndefined<TestSystemOptions>;
} = {
  actor: true,
  router: true,
  pool: true,
  resource: true,
  supervisor: true,
  dynamicSupervisor: true,
  system: true,
  reference: true,
  signals: true,
  stop: true,
  trace: true,
  upgrade: true,
  childOfActor: true,
  log: true,
  metrics: true,
  observer: true,
  observerHandler: true,
  inline: true,
  probe: true,
  testSystem: true,
};

export async function fromTheEnvironment(actor: URL, heapCapMb: number | undefined, prefix: string | undefined) {
  const system = await startSystem({ intensity: heapCapMb, guard: { totalMb: heapCapMb } });
  const mailbox = { capacity: heapCapMb };
  const hasher = await system.startChild<typeof Hasher>({ id: "a", actor, args: { rounds: 1 }, heapCapMb, mailbox });
  await hasher.with({ timeoutMs: heapCapMb }).call("hash", "text");
  await system.startChild(
    router<typeof Hasher>({ id: "r", actor, args: { rounds: 1 }, size: 1, route: "round_robin", heapCapMb }),
  );
  await system.startChild(pool({ id: "p", filename: actor, maxThreads: heapCapMb }));
  handleSignals(system, { timeoutMs: heapCapMb });
  registerMetrics(system, { prefix });
  await system.stop({ timeoutMs: heapCapMb });
}
