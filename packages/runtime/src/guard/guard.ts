import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  ACTIVE,
  announce,
  DISPATCHES,
  HANDLING,
  OS_THREAD,
  PARKED,
  sleepAsync,
  TURNS,
} from "@mini-otp/worker-host/protocol/memory";
import type { UnattributedMemory } from "../reporting/events.js";
import { Budget, type Unexplained } from "./budget.js";
import type { FullGuardOptions } from "./guard-options.js";
import {
  type Caps,
  type Judgement,
  judgeCollected,
  judgeSample,
  limits,
  type MemorySample,
  sampleGapMs,
  UNSUSPECTED,
} from "./heap-judgement.js";
import { MainHeap, mainMb } from "./main-heap.js";
import { BYTES_PER_MB, HAS_HEAP_STATISTICS, type MemoryProbe, type ProbedMemory, type ProbedThread } from "./probe.js";
import { InspectorProbe } from "./probe-inspector.js";
import { NativeProbe } from "./probe-native.js";
import { threadTimes } from "./thread-cpu.js";
import { judgeWatch, passed, type Stuck, slowAfterMs, startWatch, stillSince, watch } from "./watchdog.js";
import { debuggerAttached } from "./worker-inspector.js";

/** A thread as the guard sees it. */
export interface GuardedThread extends ProbedThread {
  /** How long its event loop has been idle, in ms since it started. Cheap, and answers for a busy thread. */
  loopIdleMs(): number;
}

/** The actor it runs. */
export interface GuardedActor {
  readonly id: string;
  readonly spec: Caps & { readonly handlerTimeoutMs: number };
  readonly running: boolean;
  kill(reason: ExitReason): void;
}

/** What the guard tells. */
export interface GuardListener {
  killing(actor: GuardedActor, reason: ExitReason): void;
  /** The process is over its budget, and no actor is over its share. */
  overBudget(rssMb: number, totalMb: number, unclaimedMb: number): void;
  /** The process is over its budget for what is in no numbers of the actors' or main's; the most suspect comes first. */
  unattributed(found: UnattributedMemory): void;
  methodName(words: Int32Array): string;
}

/** What the guard knows of an actor. Memory is as of the last time it was busy. */
export interface GuardStats extends MemorySample {
  /** How long the thread has left a probe unanswered: it is inside a native operation. 0 when none is open. */
  readonly silentMs: number;
  /** For how long the handler that runs has been seen. */
  readonly handlingMs: number;
}

/** Threads whose event loop may run callbacks are looked at this often, to see whether it does. */
const LOOP_CHECK_MS = 20;
/** An event loop that has run for longer than this between two looks has run callbacks. */
const CALLBACKS_RAN_MS = 1;
/** Everyone is looked at this often, whatever shared memory says: for callbacks that nothing announces. */
const ROUND_MS = 1000;
/** The guard stays awake this long after the last activity: waking it costs more than a few rounds. */
const LINGER_MS = 100;
/** A timer may fire this much before its time. */
const EARLY_MS = 1;
/**
 * A thread that comes up is not looked into before, unless its actor runs: it has little memory yet, and the looks cost
 * main 1 to 2 ms of the 3 to 4 that a start then takes there (Node 20).
 */
const COMES_UP_MS = 250;

type Mode = "busy" | "maybe" | "idle";

class Ward {
  state = UNSUSPECTED;
  watch;
  idleMs = 0;
  idleAtMs: number;
  probingSinceMs = 0;
  sampledAtMs = Number.NEGATIVE_INFINITY;
  memory: MemorySample = { heapMb: 0, offHeapMb: 0 };
  /** Memory that the thread itself has counted, garbage included. */
  unseenMb = 0;
  /** Until it is to be sampled again. */
  gapMs: number;
  killed = false;
  /** How often it was seen to run since the budget was last checked. */
  ran = 0;
  /** How long its thread had waited for a core when it was first seen to be slow. */
  slow: { readonly sinceMs: number; readonly delayedMs: number } | undefined;
  /** When last looked at in full: with nothing that may call it back. */
  asleep = false;
  readonly sinceMs: number;

  constructor(
    readonly thread: GuardedThread,
    readonly actor: GuardedActor,
    readonly words: Int32Array,
    nowMs: number,
    watchMs: number,
    intervalMs: number,
  ) {
    this.watch = startWatch(watchMs);
    this.gapMs = sampleGapMs(this.memory, actor.spec, intervalMs);
    this.idleAtMs = this.sinceMs = nowMs;
  }
}

/**
 * Ends actors that are over their caps or stuck. One timer on main, which runs while some actor is busy; an actor
 * that wakes up while it does not rings the guard's bell.
 */
export class Guard {
  /** The bell: shared with every actor's thread. */
  readonly bell = new SharedArrayBuffer(4);
  readonly #bellWord = new Int32Array(this.bell);
  readonly #options: FullGuardOptions;
  readonly #listener: GuardListener;
  readonly #probe: MemoryProbe = HAS_HEAP_STATISTICS ? new NativeProbe() : new InspectorProbe();
  readonly #wards = new Map<GuardedThread, Ward>();
  readonly #budget: Budget<Ward>;
  readonly #mainHeap = new MainHeap();
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
    this.#budget = new Budget<Ward>(options.totalMb, listener.overBudget, (found) => this.#unexplained(found));
  }

  /** Guards a thread from now until `forget`. `words` is the slot it consumes. */
  guard(thread: GuardedThread, actor: GuardedActor, words: Int32Array): void {
    if (this.#wards.size === 0) this.#mainHeap.beforeActors();
    this.#wards.set(thread, new Ward(thread, actor, words, performance.now(), this.#watchMs, this.#options.intervalMs));
    // Attaches early: a thread that is being attached to while it allocates answers late.
    this.#probe.canCollect(thread);
    this.#wake();
  }

  forget(thread: GuardedThread): void {
    this.#wards.delete(thread);
  }

  /** Memory that the thread itself has counted, because no probe can see it. */
  unseenMemory(thread: GuardedThread, bytes: number): void {
    const ward = this.#wards.get(thread);
    if (ward === undefined) return;
    ward.unseenMb = bytes / BYTES_PER_MB;
    this.#setGap(ward);
  }

  stats(thread: GuardedThread): GuardStats | undefined {
    const ward = this.#wards.get(thread);
    if (ward === undefined) return undefined;
    const nowMs = performance.now();
    const { memory, probingSinceMs, watch: watched, words } = ward;
    // A sleeper answers when it wakes up.
    const isSilent = probingSinceMs !== 0 && Atomics.load(words, PARKED) === 0;
    // The dispatch that was seen last may be over, and another have begun.
    const isHandling = watched.handling !== 0 && words[DISPATCHES] === watched.dispatches;
    return {
      heapMb: memory.heapMb,
      offHeapMb: memory.offHeapMb,
      silentMs: isSilent ? nowMs - probingSinceMs : 0,
      handlingMs: isHandling ? this.#watchMs - watched.handlingSinceMs + (nowMs - this.#roundBeforeMs) : 0,
    };
  }

  /** What has become resident and is in no numbers of the actors' or main's. */
  get unattributedMb(): number {
    return this.#budget.unattributedMb;
  }

  /** For how long every actor has slept, as far as the last look could tell. */
  get quietMs(): number {
    return performance.now() - this.#awakeAtMs;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#wards.clear();
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
    for (const ward of this.#wards.values()) {
      const own = this.#look(ward, nowMs, everyone, loops, watching);
      // A sleeper counts, too: until the guard rests, nothing tells that it wakes up.
      const isCase = own === "busy" || ward.state.over !== undefined;
      gapMs = Math.min(
        gapMs,
        isCase ? ward.gapMs : own === "maybe" ? LOOP_CHECK_MS : Math.max(ward.gapMs, LOOP_CHECK_MS),
      );
      if (own === "busy" || ward.words[HANDLING] !== 0) ward.ran++;
      if (own === "busy") mode = "busy";
      else if (own === "maybe" && mode === "idle") mode = "maybe";
    }
    if (everyone || nowMs >= this.#budget.dueAtMs) this.#checkBudget(nowMs);
    if (mode === "busy") this.#activeAtMs = nowMs;
    if (mode !== "idle") this.#awakeAtMs = nowMs;
    if (nowMs - this.#activeAtMs < LINGER_MS) this.#schedule(Math.max(gapMs, this.#options.intervalMs));
    else if (this.#wards.size > 0) this.#rest(mode);
  };

  /** No actor is busy: an actor that gets busy before the next look rings. */
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

  #look(ward: Ward, nowMs: number, everyone: boolean, loops: boolean, watching: boolean): Mode {
    if (ward.killed) return "idle";
    const { words, actor } = ward;
    const suspected = ward.state.over !== undefined;
    // Of hundreds most sleep, and main comes by every few ms while a single one is busy.
    if (ward.asleep && words[PARKED] === 1 && words[HANDLING] === 0 && words[ACTIVE] === 0 && !suspected && !everyone)
      return "idle";
    const parked = Atomics.load(words, PARKED) === 1;
    const handling = words[HANDLING];
    const mayRunCallbacks = parked && (handling !== 0 || words[ACTIVE] !== 0);
    let busy = !parked;
    let idleMs: number | undefined;
    if (parked && (everyone || (loops && mayRunCallbacks))) {
      idleMs = ward.thread.loopIdleMs();
      // Not `nowMs`: in a round of hundreds that is some milliseconds ago, more in one round than in the next.
      const atMs = performance.now();
      const ranMs = atMs - ward.idleAtMs - (idleMs - ward.idleMs);
      busy = ranMs > CALLBACKS_RAN_MS;
      this.#hasIdled(ward, idleMs, atMs);
    }
    if (watching && actor.running) {
      const seen = { handling, dispatches: words[DISPATCHES], turns: words[TURNS], parked, idleMs };
      ward.watch = watch(ward.watch, seen, this.#watchMs);
      const stuck = this.#judgeWatch(ward);
      if (stuck !== undefined) {
        const method = stuck.method === 0 ? "event loop" : this.#listener.methodName(words);
        this.#kill(ward, { kind: "unresponsive", method, afterMs: stuck.afterMs });
        return "idle";
      }
    } else {
      ward.watch = startWatch(this.#watchMs);
    }
    if (busy || suspected) void this.#sample(ward, nowMs);
    ward.asleep = !busy && !mayRunCallbacks && actor.running;
    return busy ? "busy" : mayRunCallbacks ? "maybe" : "idle";
  }

  #judgeWatch(ward: Ward): Stuck | undefined {
    const { handlerTimeoutMs } = ward.actor.spec;
    const sinceMs = stillSince(ward.watch);
    if (sinceMs === undefined || this.#watchMs - sinceMs < slowAfterMs(handlerTimeoutMs)) return undefined;
    const delayedMs = (): number => threadTimes(ward.words[OS_THREAD])?.delayedMs ?? 0;
    // Anew for each time that it stands still, and so seldom.
    if (ward.slow?.sinceMs !== sinceMs) ward.slow = { sinceMs, delayedMs: delayedMs() };
    if (this.#watchMs - sinceMs < handlerTimeoutMs) return undefined;
    return judgeWatch(ward.watch, handlerTimeoutMs, this.#watchMs, delayedMs() - ward.slow.delayedMs);
  }

  #hasIdled(ward: Ward, idleMs: number, nowMs: number): void {
    ward.idleMs = idleMs;
    ward.idleAtMs = nowMs;
  }

  async #sample(ward: Ward, nowMs: number): Promise<void> {
    if (ward.probingSinceMs !== 0) return;
    if (isStarting(ward, nowMs)) return;
    if (nowMs - ward.sampledAtMs < ward.gapMs - EARLY_MS) return;
    ward.sampledAtMs = nowMs;
    ward.probingSinceMs = nowMs;
    const sample = await this.#probe.sample(ward.thread);
    if (!this.#answered(ward)) return;
    // What the answer took of the event loop is no callback of the actor's: it would be looked into for ever.
    this.#hasIdled(ward, ward.thread.loopIdleMs(), performance.now());
    if (sample === undefined) return;
    const seen = this.#take(ward, sample);
    const canCollect = this.#probe.canCollect(ward.thread);
    this.#conclude(ward, judgeSample(ward.state, ward.actor.spec, seen, performance.now(), canCollect));
  }

  async #collect(ward: Ward): Promise<void> {
    this.#mainHeap.beforeCollection();
    const startedMs = performance.now();
    ward.probingSinceMs = startedMs;
    const left = await this.#probe.collect(ward.thread, limits(ward.actor.spec));
    if (!this.#answered(ward) || left === undefined) return;
    const seen = this.#take(ward, left);
    this.#conclude(ward, judgeCollected(ward.state, ward.actor.spec, seen, startedMs, performance.now()));
  }

  /** False when the answer comes too late to matter. */
  #answered(ward: Ward): boolean {
    ward.probingSinceMs = 0;
    return !ward.killed && this.#wards.has(ward.thread);
  }

  #take(ward: Ward, { heapMb, offHeapMb, unseenMb = ward.unseenMb }: ProbedMemory): MemorySample {
    ward.unseenMb = unseenMb;
    ward.memory = { heapMb, offHeapMb: offHeapMb + ward.unseenMb };
    this.#setGap(ward);
    return ward.memory;
  }

  #conclude(ward: Ward, { state, verdict }: Judgement): void {
    ward.state = state;
    if (verdict.kind === "guilty") this.#kill(ward, verdict.reason);
    else if (verdict.kind === "collect") void this.#collect(ward);
  }

  #setGap(ward: Ward): void {
    const { heapMb, offHeapMb } = ward.memory;
    const seen = { heapMb, offHeapMb: Math.max(offHeapMb, ward.unseenMb) };
    ward.gapMs = sampleGapMs(seen, ward.actor.spec, this.#options.intervalMs);
  }

  #checkBudget(nowMs: number): void {
    const wards = [...this.#wards.values()].filter(({ killed }) => !killed);
    const over = this.#budget.check(
      nowMs,
      wards.map((ward) => ({
        who: ward,
        ran: ward.ran,
        usedMb: ward.memory.heapMb + ward.memory.offHeapMb,
        capMb: ward.actor.spec.heapCapMb + ward.actor.spec.offHeapCapMb,
      })),
      mainMb(),
    );
    for (const ward of wards) ward.ran = 0;
    if (over === undefined) return;
    const { usedMb, shareMb } = over;
    this.#kill(over.actor.who, { kind: "heap_cap_exceeded", heapCapMb: shareMb, usedMb });
  }

  #unexplained({ rssMb, totalMb, unattributedMb, suspects }: Unexplained<Ward>): void {
    const named = suspects.map(({ who, grewMb }) => ({ id: who.actor.id, grewMb }));
    this.#listener.unattributed({ rssMb, totalMb, unattributedMb, suspects: named });
    const [first] = suspects;
    if (this.#options.onUnattributed !== "kill_suspect" || first === undefined) return;
    const { actor, memory } = first.who;
    const { offHeapCapMb } = actor.spec;
    const usedMb = memory.offHeapMb + first.grewMb;
    this.#kill(first.who, { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb });
  }

  #kill(ward: Ward, reason: ExitReason): void {
    if (ward.killed) return;
    ward.killed = true;
    this.#listener.killing(ward.actor, reason);
    ward.actor.kill(reason);
  }
}

function isStarting({ actor, sinceMs }: Ward, nowMs: number): boolean {
  return !actor.running && nowMs - sinceMs < COMES_UP_MS;
}
