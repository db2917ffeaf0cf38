import { checkExitReason, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { isCellAddress } from "@mini-otp/worker-host/protocol/memory";
import { aFunction, takeArgument } from "@mini-otp/worker-host/protocol/options";
import type { Target, ToMain } from "@mini-otp/worker-host/protocol/port";
import { ActorRef, type PoolRef, processOf } from "@mini-otp/worker-host/protocol/refs";
import type { Encoded } from "@mini-otp/worker-host/protocol/values";
import { callSafely } from "../reporting/listeners.js";
import { MonitorNumbers } from "./monitor-numbers.js";
import { Monitors, type Signal } from "./monitors.js";

/** A monitor's message to its watcher when the actor has ended: to an actor's `info`, or to main's listener. */
export interface Down<R = ActorRef> {
  readonly type: "DOWN";
  /** What `ctx.monitor` returned. */
  readonly monitor: number;
  readonly id: string;
  readonly ref: R;
  readonly reason: ExitReason;
}

/** A link's message to the `info` of an actor that traps exits, when its partner has ended. */
export interface Exit {
  readonly type: "EXIT";
  readonly id: string;
  /** Undefined when main sent the signal. */
  readonly ref: ActorRef | undefined;
  readonly reason: ExitReason;
}

export type SignalRequest = Extract<
  ToMain,
  { type: "monitor" | "demonitor" | "link" | "unlink" | "trap_exit" | "exit" }
>;

/** An actor, a router or a pool, as far as signals go. */
export interface Process {
  readonly id: string;
  readonly ref: ActorRef | PoolRef;
  /** Ends its thread with this reason. */
  kill(reason: ExitReason): void;
  /** Delivers a message to `info`. */
  info(message: unknown): void;
  /** Delivers several at once, in this order. */
  infos?(messages: readonly unknown[]): void;
  /** An exit signal to a light actor: it ends with `fatal`, or gets EXIT with `reason`. */
  exitSignal?(from: Source, reason: ExitReason, fatal: ExitReason): void;
  /** What becomes of signals to one that stands for an actor of another node. */
  readonly remote?: RemoteSignals;
}

/** Told after the signal has been noted here. */
export interface RemoteSignals {
  /** It is watched, or linked to, and its end is to be told. */
  watched(): void;
  linked(partner: ActorRef): void;
  unlinked(partner: ActorRef): void;
  /** An exit signal to it. `from` is undefined for main. */
  exit(from: ActorRef | undefined, reason: ExitReason | "kill"): void;
}

interface Processes {
  byUid(uid: number): Process | undefined;
  byPath(id: string): Process | undefined;
  /** A reference to a process that may be gone. */
  refTo(target: Target): ActorRef | PoolRef;
  reasonOf(reason: Encoded): ExitReason;
  /** The processes that an exit signal to `uid` reaches: a router's members, or the process itself. */
  membersOf(uid: number): readonly Process[];
  /**
   * Of a light actor: the name under which its life is known to monitors and links, whose end is told from now on by
   * `lightEnded`. Undefined for one that has ended.
   */
  lightPath(target: Target): string | undefined;
  /** The same for one that has asked for something itself, and may have ended since: its end is told. */
  lightAsking(target: Target): string | undefined;
  /** Sends an exit signal to a light actor. */
  exitLight(target: Target, from: Source, reason: ExitReason | "kill"): void;
  /** Main's listener for an actor threw `error`. */
  listenerFailed(id: string, error: unknown): void;
}

const MAIN = "main thread";

/** The sender of a signal, as DOWN and EXIT messages name it. */
export interface Source {
  readonly id: string;
  readonly ref: ActorRef | PoolRef | undefined;
}

const FROM_MAIN: Source = { id: MAIN, ref: undefined };

/** Carries out monitors and links: tells watchers, ends partners. */
export class ProcessSignals {
  readonly #processes: Processes;
  readonly #monitors = new Monitors();
  readonly #listeners = new Map<number, (down: Down) => void>();
  readonly #numbers = new MonitorNumbers<Process>();
  /** What is told together. */
  #telling: Map<Process, unknown[]> | undefined;

  constructor(processes: Processes) {
    this.#processes = processes;
  }

  started({ id }: Process, trapsExits = false): void {
    this.#monitors.started(id);
    if (trapsExits) this.#monitors.trapExit(id, true);
  }

  /** An incarnation is over. Returns the function that tells its watchers and partners. */
  ended(child: Process, reason: ExitReason): () => void {
    this.#numbers.forgetAll(child);
    const signals = this.#monitors.ended(child.id, reason);
    return () => this.#carryOut(signals, child);
  }

  /** A light actor's life is over, which `lightPath` has named. */
  lightEnded(path: string, source: { readonly id: string; readonly ref: ActorRef }, reason: ExitReason): void {
    this.#carryOut(this.#monitors.ended(path, reason), source);
  }

  /** What `task` tells one process goes there in one message, however many lives have ended. */
  together(task: () => void): void {
    if (this.#telling !== undefined) return task();
    const telling = new Map<Process, unknown[]>();
    this.#telling = telling;
    try {
      task();
    } finally {
      this.#telling = undefined;
      for (const [process, messages] of telling) {
        if (process.infos === undefined) for (const message of messages) process.info(message);
        else process.infos(messages);
      }
    }
  }

  #tell(process: Process | undefined, message: unknown): void {
    if (process === undefined) return;
    const waiting = this.#telling?.get(process);
    if (waiting !== undefined) waiting.push(message);
    else if (this.#telling !== undefined) this.#telling.set(process, [message]);
    else process.info(message);
  }

  /** Sets a monitor for main. Returns the function that ends it. */
  watch<R extends ActorRef | PoolRef>(ref: R, listener: (down: Down<R>) => void): () => void {
    takeArgument("monitor", "listener", listener, aFunction);
    const { uid, id } = processOf(ref);
    const { monitor, signals } = this.#monitors.monitor(MAIN, this.#pathOf(targetOf(ref)));
    this.#listeners.set(monitor, (down) => listener({ ...down, ref }));
    this.#processes.byUid(uid)?.remote?.watched();
    // The listener must not run before `watch` has returned.
    queueMicrotask(() => this.#carryOut(signals, { id, ref }));
    return () => {
      this.#monitors.demonitor(MAIN, monitor);
      this.#listeners.delete(monitor);
    };
  }

  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void {
    this.#exit(FROM_MAIN, targetOf(ref), checkExitReason("exit", reason, "kill"));
  }

  /** Carries out an actor's request. */
  handle(child: Process, request: SignalRequest): void {
    switch (request.type) {
      case "monitor": {
        const { monitor, signals } = this.#monitors.monitor(child.id, this.#pathOf(request.target));
        this.#numbers.add(child, request.monitor, monitor);
        this.#processes.byUid(request.target.uid)?.remote?.watched();
        return this.#carryOut(signals, this.#sourceOf(request.target));
      }
      case "demonitor": {
        const monitor = this.#numbers.take(child, request.monitor);
        if (monitor !== undefined) this.#monitors.demonitor(child.id, monitor);
        return;
      }
      case "link": {
        const { target, from } = request;
        const asking = this.#asking(child, from);
        if (asking === undefined) return;
        const signals = this.#monitors.link(asking.name, this.#pathOf(target));
        this.#processes.byUid(target.uid)?.remote?.linked(asking.ref as ActorRef);
        return this.#carryOut(signals, this.#sourceOf(target));
      }
      case "unlink": {
        const { target, from } = request;
        const asking = this.#asking(child, from);
        const partner = this.#pathOf(target);
        if (asking === undefined) return;
        this.#processes.byUid(target.uid)?.remote?.unlinked(asking.ref as ActorRef);
        return partner === undefined ? undefined : this.#monitors.unlink(asking.name, partner);
      }
      case "trap_exit":
        return this.#monitors.trapExit(child.id, request.trap);
      case "exit":
        return this.#exit(
          request.from === undefined ? child : this.#sourceOf(request.from),
          request.target,
          request.reason === "kill" ? request.reason : this.#processes.reasonOf(request.reason),
        );
    }
  }

  #exit(from: Source, target: Target, reason: ExitReason | "kill"): void {
    if (isLight(target)) {
      this.#processes.exitLight(target, from, reason);
      return;
    }
    for (const { id, remote } of this.#processes.membersOf(target.uid)) {
      if (remote !== undefined) remote.exit(from.ref as ActorRef | undefined, reason);
      else this.#carryOut(this.#monitors.exit(from.id, id, reason), from);
    }
  }

  /** `from` is the sender of all `signals`. */
  #carryOut(signals: readonly Signal[], from: Source): void {
    for (const signal of signals) this.#carry(signal, from);
  }

  #carry(signal: Signal, { id, ref }: Source): void {
    if (signal.kind === "end") {
      this.#processes.byPath(signal.to)?.kill(signal.reason);
      return;
    }
    const { reason } = signal;
    if (signal.kind === "exit_signal") {
      this.#processes.byPath(signal.to)?.exitSignal?.({ id, ref }, reason, signal.fatal);
    } else if (signal.kind === "exit_message") {
      this.#tell(this.#processes.byPath(signal.to), { type: "EXIT", id, ref, reason });
    } else if (signal.to === MAIN) {
      const listener = this.#listeners.get(signal.monitor);
      this.#listeners.delete(signal.monitor);
      callSafely(
        () => listener?.({ type: "DOWN", monitor: signal.monitor, id, ref: ref as ActorRef, reason }),
        (error) => this.#processes.listenerFailed(id, error),
      );
    } else {
      const watcher = this.#processes.byPath(signal.to);
      const monitor = watcher === undefined ? undefined : this.#numbers.takeOwn(watcher, signal.monitor);
      if (monitor !== undefined) this.#tell(watcher, { type: "DOWN", monitor, id, ref, reason });
    }
  }

  /** Who asks for a link: the actor, or a light actor of its thread. */
  #asking(child: Process, from: Target | undefined): (Source & { readonly name: string }) | undefined {
    if (from === undefined) return { id: child.id, ref: child.ref, name: child.id };
    const name = this.#processes.lightAsking(from);
    if (name === undefined) return undefined;
    this.#monitors.started(name);
    return { ...this.#sourceOf(from), name };
  }

  #sourceOf(target: Target): Source {
    return { id: target.id, ref: this.#processes.byUid(target.uid)?.ref ?? this.#processes.refTo(target) };
  }

  /** Undefined for an actor that is gone, because another actor may have its path now. */
  #pathOf(target: Target): string | undefined {
    if (!isLight(target)) return this.#processes.byUid(target.uid) === undefined ? undefined : target.id;
    const path = this.#processes.lightPath(target);
    if (path !== undefined) this.#monitors.started(path);
    return path;
  }
}

function isLight({ address }: Target): boolean {
  return address !== undefined && isCellAddress(address);
}

function targetOf(ref: ActorRef | PoolRef): Target {
  const { uid, id } = processOf(ref);
  return { uid, id, address: ref instanceof ActorRef ? ref.address : undefined };
}
