import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  /** One, five and fifteen minutes, before the run. */
  readonly load: readonly number[];
  /** Share of all cores that was busy in the half second before the run. */
  readonly busyBefore: number;
}

const LOOK_MS = 500;
/** More than the operating system's own work takes. */
const IDLE_BELOW = 0.05;
const CALM_LOOK_MS = 200;
/** For one round. Its clocks tick every 10 ms, so a short round cannot show much less. */
export const CALM_BELOW = 0.08;

export async function describeMachine(): Promise<Machine> {
  const load = loadavg();
  const meter = new OthersMeter();
  meter.begin();
  await delay(LOOK_MS);
  meter.end();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    load,
    busyBefore: meter.share,
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGb, platform, node, load, busyBefore } = machine;
  const loads = load.map((value) => value.toFixed(2)).join(" ");
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}, load before ${loads}, cores busy before ${percent(busyBefore)}`;
}

/** Waits until no other process is at work, or it is `until` in `performance.now` time. */
export async function calm(until: number): Promise<void> {
  const meter = new OthersMeter();
  while (performance.now() < until) {
    meter.begin();
    await delay(CALM_LOOK_MS);
    if (meter.end() < CALM_BELOW) return;
  }
}

/** A line for a machine that has other work, or undefined. */
export function warningOf(machine: Machine): string | undefined {
  if (machine.busyBefore < IDLE_BELOW) return undefined;
  return `WARNING: the machine is not idle (${percent(machine.busyBefore)} of its cores were busy before the run): rates are too low, latencies too high, spreads too wide.`;
}

export function othersLine(share: number): string {
  const line = `Other processes took ${percent(share)} of the machine's cores during the rounds in this process.`;
  return share < IDLE_BELOW ? line : `WARNING: ${line}`;
}

/** Measures which share of the machine's cores other processes take. Children of this process count as others. */
export class OthersMeter {
  #othersMs = 0;
  #allMs = 0;
  #startedMs = 0;
  #busyMs = 0;
  #own = process.cpuUsage();

  begin(): void {
    this.#startedMs = performance.now();
    this.#busyMs = busyMs();
    this.#own = process.cpuUsage();
  }

  /** Returns the share since `begin`. */
  end(): number {
    const { user, system } = process.cpuUsage(this.#own);
    // Its two clocks tick differently, so the difference may be below zero.
    const othersMs = Math.max(0, busyMs() - this.#busyMs - (user + system) / 1000);
    const allMs = (performance.now() - this.#startedMs) * cpus().length;
    this.#othersMs += othersMs;
    this.#allMs += allMs;
    return othersMs / allMs;
  }

  /** Between all pairs of `begin` and `end`. */
  get share(): number {
    return this.#allMs === 0 ? 0 : this.#othersMs / this.#allMs;
  }
}

function busyMs(): number {
  let busy = 0;
  for (const { times } of cpus()) busy += times.user + times.nice + times.sys + times.irq;
  return busy;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
