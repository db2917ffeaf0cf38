import { type ExitReason, KILLED, linkedReason, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { isLightName, pathOfName } from "./light-name.js";

/** A signal to carry out. The caller drops it when `to` has ended meanwhile. */
export type Signal =
  /** The DOWN message of one monitor, sent once. */
  | {
      readonly kind: "down";
      readonly to: string;
      readonly monitor: number;
      readonly from: string | undefined;
      readonly reason: ExitReason;
    }
  /** The EXIT message of a link, to an actor that traps exits. */
  | {
      readonly kind: "exit_message";
      readonly to: string;
      readonly from: string | undefined;
      readonly reason: ExitReason;
    }
  /** An exit signal to a light actor, whose thread knows whether it traps exits. Otherwise it ends with `fatal`. */
  | {
      readonly kind: "exit_signal";
      readonly to: string;
      readonly from: string | undefined;
      readonly reason: ExitReason;
      readonly fatal: ExitReason;
    }
  /** End `to` with this reason. */
  | { readonly kind: "end"; readonly to: string; readonly reason: ExitReason };

/**
 * The monitors and links between processes, by path, and by `lightName` for light actors. They belong to one incarnation: a restart begins without them.
 * A watcher need not be an actor.
 *
 * @see https://www.erlang.org/doc/system/ref_man_processes.html
 */
export class Monitors {
  readonly #alive = new Set<string>();
  readonly #trapping = new Set<string>();
  readonly #links = new Map<string, Set<string>>();
  readonly #monitors = new Map<number, { readonly watcher: string; readonly target: string }>();
  /** Monitors that `id` has set, or that watch it. */
  readonly #monitorsOf = new Map<string, Set<number>>();
  #lastMonitor = 0;

  /** The number of actors, monitors, links and traps kept here. */
  get size(): number {
    return this.#alive.size + this.#monitors.size + this.#monitorsOf.size + this.#links.size + this.#trapping.size;
  }

  started(id: string): void {
    this.#alive.add(id);
  }

  /**
   * Monitors are one-way, and they stack: each sends its own DOWN, at once (`noproc`) when the target does not run.
   * `target` is undefined for a process that is gone, because another process may have its path by now.
   */
  monitor(
    watcher: string,
    target: string | undefined,
  ): { readonly monitor: number; readonly signals: readonly Signal[] } {
    const monitor = ++this.#lastMonitor;
    if (target === undefined || !this.#alive.has(target)) {
      return { monitor, signals: [{ kind: "down", to: watcher, monitor, from: target, reason: NOPROC }] };
    }
    this.#monitors.set(monitor, { watcher, target });
    for (const id of [watcher, target]) setOf(this.#monitorsOf, id).add(monitor);
    return { monitor, signals: [] };
  }

  /** Ends a monitor: it sends no DOWN from now on. Does nothing unless `watcher` has set it. */
  demonitor(watcher: string, monitor: number): void {
    if (this.#monitors.get(monitor)?.watcher === watcher) this.#forget(monitor);
  }

  /** Links go both ways; a second one changes nothing. If `partner` does not run, `id` gets an exit signal `noproc`. */
  link(id: string, partner: string | undefined): readonly Signal[] {
    if (id === partner) return [];
    if (partner === undefined || !this.#alive.has(partner)) return this.#exitSignal(partner, id, NOPROC, NOPROC);
    setOf(this.#links, id).add(partner);
    setOf(this.#links, partner).add(id);
    return [];
  }

  unlink(id: string, partner: string): void {
    remove(this.#links, id, partner);
    remove(this.#links, partner, id);
  }

  /** With `trap`, exit signals reach this actor as messages instead of ending it. */
  trapExit(id: string, trap: boolean): void {
    if (trap) this.#trapping.add(id);
    else this.#trapping.delete(id);
  }

  /** Sends an exit signal. `"kill"` cannot be trapped, and ends its target as `killed`. */
  exit(from: string, to: string, reason: ExitReason | "kill"): readonly Signal[] {
    if (!this.#alive.has(to)) return [];
    if (reason === "kill") return [{ kind: "end", to, reason: KILLED }];
    return this.#exitSignal(from, to, reason, reason);
  }

  /** `id` has ended: its watchers get DOWN, its partners an exit signal, and its monitors and links are forgotten. */
  ended(id: string, reason: ExitReason): readonly Signal[] {
    const signals: Signal[] = [];
    for (const monitor of this.#monitorsOf.get(id) ?? []) {
      const { watcher, target } = this.#monitors.get(monitor)!;
      this.#forget(monitor);
      if (target === id && watcher !== id) signals.push({ kind: "down", to: watcher, monitor, from: id, reason });
    }
    for (const partner of this.#links.get(id) ?? []) {
      this.unlink(id, partner);
      signals.push(...this.#exitSignal(id, partner, reason, linkedReason(pathOfName(id), reason)));
    }
    this.#alive.delete(id);
    this.#trapping.delete(id);
    return signals;
  }

  /** `told` is the reason in an EXIT message; an actor that does not trap exits ends with `fatal`. */
  #exitSignal(from: string | undefined, to: string, told: ExitReason, fatal: ExitReason): readonly Signal[] {
    if (isLightName(to)) return [{ kind: "exit_signal", to, from, reason: told, fatal }];
    if (this.#trapping.has(to)) return [{ kind: "exit_message", to, from, reason: told }];
    return told.kind === "normal" ? [] : [{ kind: "end", to, reason: fatal }];
  }

  #forget(monitor: number): void {
    const { watcher, target } = this.#monitors.get(monitor)!;
    this.#monitors.delete(monitor);
    remove(this.#monitorsOf, watcher, monitor);
    remove(this.#monitorsOf, target, monitor);
  }
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const set = map.get(key) ?? new Set<V>();
  map.set(key, set);
  return set;
}

function remove<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}
