import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  ACTIVE,
  announce,
  DISPATCHES,
  HANDLING,
  PARKED,
  sleepAsync,
  TURNS,
} from "@mini-otp/worker-host/protocol/memory";
import type { UnattributedMemory } from "../reporting/events.js";
import { Budget, type Unexplained } from "./budget.js";
import type { FullGuardOptions } from "./guard-options.js";
import { MainHeap, mainMb } from "./main-heap.js";
import { MemoryCheck } from "./memory-check.js";
import { BYTES_PER_MB } from "./probe.js";
import { passed } from "./watchdog.js";
import { type GuardedActor, type GuardedThread, type GuardStats, Watched } from "./watched.js";
import { debuggerAttached } from "./worker-inspector.js";

/** Reports of the guard. */
export interface GuardListener {
  killing(actor: { readonly id: string }, reason: ExitReason): void;
  /** The process is over its budget, and no actor is over its share. */
  overBudget(rssMb: number, totalMb: number, unclaimedMb: number): void;
  /** Unattributed memory has put the process over its budget. The most suspect actor comes first. */
  unattributed(found: UnattributedMemory): void;
  methodName(words: Int32Array): string;
}

/** How often the guard checks whether a parked thread runs callbacks of its event loop. */
const LOOP_CHECK_MS = 20;
/**
 * How often the guard looks at every thread, even one that shared memory shows asleep, because some callbacks leave no
 * trace there.
 */
const ROUND_MS = 1000;
/** The guard stays awake this long after the last activity: waking it costs more than a few rounds. */
const LINGER_MS = 100;

type Mode = "busy" | "maybe" | "idle";

/**
 * Ends actors that are over their caps or stuck. It has one timer on main, which runs while some actor is busy. An
 * actor that wakes up while the timer rests rings the guard's bell.
 */
export class Guard {
  /** Shared with every actor's thread. */
  readonly bell = new SharedArrayBuffer(4);
  readonly #bellWord = new Int32Array(this.bell);
  readonly #options: FullGuardOptions;
  readonly #listener: GuardListener;
  readonly #watched = new Map<GuardedThread, Watched>();
  readonly #budget: Budget<Watched>;
  readonly #mainHeap = new MainHeap();
  readonly #memory = new MemoryCheck(
    this.#mainHeap,
    ({ thread }) => this.#watched.has(thread),
    (watched, reason) => this.#kill(watched, reason),
  );
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  #roundBeforeMs = performance.now();
  #plannedMs = 0;
  #watchMs = 0;
  #listening = false;
  #activeAtMs = 0;
  #awakeAtMs = performance.now();
  #roundAtMs = 0;
  #loopsAtMs = 0;
  #closed = false;

  constructor(options: FullGuardOptions, listener: GuardListener) {
    this.#options = options;
    this.#listener = listener;
    this.#budget = new Budget<Watched>(options.totalMb, listener.overBudget, (found) => this.#unexplained(found));
  }

  /** Guards a thread from now until `forget`. `words` is the slot that the thread consumes. */
  guard(thread: GuardedThread, actor: GuardedActor, words: Int32Array): void {
    if (this.#watched.size === 0) this.#mainHeap.beforeActors();
    const { intervalMs } = this.#options;
    this.#watched.set(thread, new Watched(thread, actor, words, performance.now(), this.#watchMs, intervalMs));
    this.#memory.attach(thread);
    this.#wake();
  }

  forget(thread: GuardedThread): void {
    this.#watched.delete(thread);
  }

  /** Memory that the thread itself has counted, because no probe can see it. */
  unseenMemory(thread: GuardedThread, bytes: number): void {
    const watched = this.#watched.get(thread);
    watched?.countUnseen(bytes / BYTES_PER_MB);
  }

  /** Reports that something with a guard of its own, a process, was over its cap and has been ended. */
  ended(id: string, reason: ExitReason): void {
    this.#listener.killing({ id }, reason);
  }

  stats(thread: GuardedThread): GuardStats | undefined {
    return this.#watched.get(thread)?.stats(performance.now(), this.#watchMs, this.#roundBeforeMs);
  }

  /** Growth of the resident memory that neither the actors' samples nor main's own numbers show. */
  get unattributedMb(): number {
    return this.#budget.unattributedMb;
  }

  /** For how long it has not looked at the threads, although there are some. */
  get missedMs(): number {
    return this.#watched.size === 0 || this.#closed ? 0 : performance.now() - this.#roundBeforeMs;
  }

  /** For how long every actor has slept, as of the last round. */
  get quietMs(): number {
    return performance.now() - this.#awakeAtMs;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watched.clear();
  }

  readonly #wake = (): void => {
    this.#activeAtMs = this.#awakeAtMs = performance.now();
    this.#schedule(this.#options.intervalMs);
  };

  #schedule(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#closed || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#plannedMs = atMs - this.#roundBeforeMs;
    this.#timer = setTimeout(this.#round, delayMs).unref();
  }

  readonly #round = (): void => {
    this.#timerAtMs = Infinity;
    const nowMs = performance.now();
    this.#watchMs += passed(nowMs - this.#roundBeforeMs, this.#plannedMs);
    this.#roundBeforeMs = nowMs;
    const everyone = nowMs - this.#roundAtMs >= ROUND_MS;
    const loops = everyone || nowMs - this.#loopsAtMs >= LOOP_CHECK_MS;
    if (everyone) this.#roundAtMs = nowMs;
    if (loops) this.#loopsAtMs = nowMs;
    const watching = !debuggerAttached();
    let mode: Mode = "idle";
    let gapMs = Infinity;
    for (const watched of this.#watched.values()) {
      const own = this.#look(watched, nowMs, everyone, loops, watching);
      // A sleeping actor counts too, because until the guard rests, nothing tells it that the actor wakes up.
      const isCase = own === "busy" || watched.isSuspect;
      gapMs = Math.min(
        gapMs,
        isCase ? watched.gapMs : own === "maybe" ? LOOP_CHECK_MS : Math.max(watched.gapMs, LOOP_CHECK_MS),
      );
      if (own === "busy" || watched.words[HANDLING] !== 0) watched.ran++;
      if (own === "busy") mode = "busy";
      else if (own === "maybe" && mode === "idle") mode = "maybe";
    }
    if (everyone || nowMs >= this.#budget.dueAtMs) this.#checkBudget(nowMs);
    if (mode === "busy") this.#activeAtMs = nowMs;
    if (mode !== "idle") this.#awakeAtMs = nowMs;
    // A process that was stopped inside this round did not run for all of it.
    this.#roundBeforeMs = performance.now();
    this.#watchMs += passed(this.#roundBeforeMs - nowMs, 0);
    if (nowMs - this.#activeAtMs < LINGER_MS) this.#schedule(Math.max(gapMs, this.#options.intervalMs));
    else if (this.#watched.size > 0) this.#rest(mode);
  };

  /** No actor is busy. An actor that becomes busy before the next round rings the bell. */
  #rest(mode: Mode): void {
    this.#schedule(mode === "maybe" ? Math.max(LOOP_CHECK_MS, this.#options.intervalMs) : ROUND_MS);
    announce(this.#bellWord, 0);
    if (this.#listening) return;
    const waiting = sleepAsync(this.#bellWord, 0);
    if (waiting === undefined) {
      this.#wake();
      return;
    }
    this.#listening = true;
    void waiting.then(() => {
      this.#listening = false;
      this.#wake();
    });
  }

  #look(watched: Watched, nowMs: number, everyone: boolean, loops: boolean, watching: boolean): Mode {
    if (watched.killed) return "idle";
    const { words, actor } = watched;
    const suspected = watched.isSuspect;
    // A shortcut, because most of hundreds of actors sleep, and the guard looks every few ms while a single one is
    // busy.
    if (
      watched.asleep &&
      words[PARKED] === 1 &&
      words[HANDLING] === 0 &&
      words[ACTIVE] === 0 &&
      !suspected &&
      !everyone
    )
      return "idle";
    const parked = Atomics.load(words, PARKED) === 1;
    const handling = words[HANDLING];
    const mayRunCallbacks = parked && (handling !== 0 || words[ACTIVE] !== 0);
    let busy = !parked;
    let idleMs: number | undefined;
    if (parked && (everyone || (loops && mayRunCallbacks))) {
      const asked = watched.askLoop();
      idleMs = asked.idleMs;
      busy = asked.ranCallbacks;
    }
    if (watching && actor.running) {
      const seen = { handling, dispatches: words[DISPATCHES], turns: words[TURNS], parked, idleMs };
      const stuck = watched.look(seen, this.#watchMs);
      if (stuck !== undefined) {
        const method = stuck.method === 0 ? "event loop" : this.#listener.methodName(words);
        this.#kill(watched, { kind: "unresponsive", method, afterMs: stuck.afterMs });
        return "idle";
      }
    } else {
      watched.restartWatch(this.#watchMs);
    }
    if (busy || suspected) void this.#memory.sample(watched, nowMs);
    watched.asleep = !busy && !mayRunCallbacks && actor.running;
    return busy ? "busy" : mayRunCallbacks ? "maybe" : "idle";
  }

  #checkBudget(nowMs: number): void {
    const alive = [...this.#watched.values()].filter(({ killed }) => !killed);
    const over = this.#budget.check(
      nowMs,
      alive.map((watched) => ({
        owner: watched,
        ran: watched.ran,
        usedMb: watched.memory.heapMb + watched.memory.offHeapMb,
        capMb: watched.actor.spec.heapCapMb + watched.actor.spec.offHeapCapMb,
      })),
      mainMb(),
    );
    for (const watched of alive) watched.ran = 0;
    if (over === undefined) return;
    const { usedMb, shareMb } = over;
    this.#kill(over.actor.owner, { kind: "heap_cap_exceeded", heapCapMb: shareMb, usedMb });
  }

  #unexplained({ rssMb, totalMb, unattributedMb, suspects }: Unexplained<Watched>): void {
    const named = suspects.map(({ owner, grewMb }) => ({ id: owner.actor.id, grewMb }));
    this.#listener.unattributed({ rssMb, totalMb, unattributedMb, suspects: named });
    const [first] = suspects;
    if (this.#options.onUnattributed !== "kill_suspect" || first === undefined) return;
    const { actor, memory } = first.owner;
    const { offHeapCapMb } = actor.spec;
    const usedMb = memory.offHeapMb + first.grewMb;
    this.#kill(first.owner, { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb });
  }

  #kill(watched: Watched, reason: ExitReason): void {
    if (watched.killed) return;
    watched.killed = true;
    this.#listener.killing(watched.actor, reason);
    watched.actor.kill(reason);
  }
}
