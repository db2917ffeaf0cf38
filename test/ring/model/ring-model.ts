import { claimByCompareAndSwap } from "./claim-by-cas.js";
import { consumerProgram } from "./consumer.js";
import { droppingConsumerProgram } from "./dropping-consumer.js";
import { mainProgram } from "./main.js";
import { C, M, S } from "./program-counters.js";
import { CONSUMER, MAIN, PROCESSES, SCENARIO, type Scenario, SENDER_A, SENDER_B } from "./scenario.js";
import type { Model } from "./search.js";
import { senderProgram } from "./sender.js";
import {
  ACCEPTED,
  CLAIMED,
  CONSUMER_THREADS,
  CONSUMER_WORDS,
  CRASHES,
  CURSOR,
  DEAD,
  DEAD_LETTERS,
  FIELDS,
  FINISHED,
  HANDLED_SEQ,
  HEAD,
  IDENTITY,
  IN_FLIGHT,
  LOCK,
  MAIN_WORDS,
  maximaOf,
  NEXT_SEQ,
  OWN_HEAD,
  OWN_TAIL,
  open,
  PARKED,
  PC,
  PCS,
  RUNS,
  SENDERS,
  SENT,
  SPACE,
  type State,
  TAIL,
  THREADS,
  VIOLATION,
} from "./words.js";
import { EXITED, type Program, VIOLATIONS, World } from "./world.js";

// The actions: a step of each process, the exit of each mortal is processed by main, a crash of each.
const EXITS = 4;
const CRASHES_OF = 7;
const ACTIONS = 10;

/** The mailbox ring of one actor, with two senders, the actor and main, as a model to search. */
export class RingModel implements Model {
  readonly fields = FIELDS;
  readonly maxima: readonly number[];
  readonly actions = ACTIONS;
  readonly firstFault = CRASHES_OF;
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #programs: readonly Program[];

  constructor(changes: Partial<Scenario> = {}) {
    const scenario = { ...SCENARIO, ...changes };
    this.#scenario = scenario;
    this.#world = new World(scenario);
    this.maxima = maximaOf(scenario);
    const sender =
      scenario.protocol.claim === "under the lock" ? senderProgram(this.#world) : claimByCompareAndSwap(this.#world);
    const consumer = this.#world.dropsOldest ? droppingConsumerProgram(this.#world) : consumerProgram(this.#world);
    this.#programs = [sender, sender, consumer, mainProgram(this.#world)];
  }

  begin(s: State): void {
    s.fill(0);
    s[IDENTITY] = open(1);
    this.#world.format(s);
    s[OWN_HEAD] = s[OWN_TAIL] = this.#world.dropsOldest ? 0 : s[HEAD];
    s[PCS[SENDER_A]] = this.#world.senderStart;
    s[PCS[SENDER_B]] = this.#world.senderStart;
    s[PCS[CONSUMER]] = C.pending;
    s[PCS[MAIN]] = M.idle;
    if (this.#scenario.recycled) {
      // The consumer has exited, and is not started again.
      s[PCS[SENDER_B]] = S.early;
      s[PCS[CONSUMER]] = EXITED;
      s[OWN_HEAD] = s[OWN_TAIL] = 0;
      s[PCS[MAIN]] = M.close;
      s[DEAD] = CONSUMER;
    }
  }

  take(s: State, action: number): boolean {
    if (action >= CRASHES_OF) return this.#crash(s, action - CRASHES_OF);
    if (action >= EXITS) return this.#processExit(s, action - EXITS);
    const pc = PCS[action];
    const step = this.#programs[action][s[pc]];
    if (step.when !== undefined && !step.when(s, pc)) return false;
    s[pc] = step.run(s, pc);
    return true;
  }

  violation(s: State): string | undefined {
    return s[VIOLATION] === 0 ? undefined : VIOLATIONS[s[VIOLATION]];
  }

  badEnding(s: State): string | undefined {
    const consumer = s[CONSUMER_WORDS + PC];
    if (consumer === C.asleep && s[HEAD] !== s[TAIL]) return "the consumer sleeps for ever while a message waits";
    if (consumer === C.header) return "the consumer waits for ever for the header of a record";
    if (consumer !== C.asleep && consumer !== C.none) return "the consumer is stuck";
    for (const sender of [SENDER_A, SENDER_B]) {
      const pc = s[SENDERS[sender] + PC];
      if (pc === S.asleep) return `${PROCESSES[sender]} sleeps for ever`;
      if (pc === S.lock) return `${PROCESSES[sender]} waits for ever for the lock`;
      if (pc !== S.done) return `${PROCESSES[sender]} is stuck`;
    }
    if (s[MAIN_WORDS + PC] !== M.idle) return "main is stuck";
    for (let message = 1; message <= this.#world.allMessages; message++) {
      const accepted = s[ACCEPTED + message] !== 0;
      const accounted = s[RUNS + message] === FINISHED || s[DEAD_LETTERS + message] !== 0;
      if (accepted && !accounted) return `message ${this.#name(message)} was accepted, and then lost`;
    }
    if (s[HEAD] !== s[TAIL] || s[CURSOR] !== s[TAIL]) return "the ring is not empty";
    if (s[IN_FLIGHT] !== 0 || s[CLAIMED] !== 0) return "a message stays in flight";
    if (s[LOCK] !== 0) return "the lock is not free";
    if (s[NEXT_SEQ] !== s[HANDLED_SEQ]) return "the counts of accepted and of handled records differ";
    return undefined;
  }

  describe(s: State, action: number): string {
    if (action >= CRASHES_OF) {
      const process = action - CRASHES_OF;
      return `${PROCESSES[process]}: † dies before "${this.#programs[process][s[PCS[process]]].text}"`;
    }
    if (action >= EXITS) return `main: ${PROCESSES[action - EXITS]} has exited`;
    const who = PROCESSES[action];
    const inHand = action <= SENDER_B ? ` (${this.#name(this.#world.message(action, s[SENDERS[action] + SENT]))})` : "";
    return `${who}${inHand}: ${this.#programs[action][s[PCS[action]]].text}`;
  }

  summary(s: State): string {
    const { positions } = this.#scenario;
    const distance = (position: number): number => (s[position] - s[HEAD] + positions) % positions;
    const lock = s[LOCK] === 0 ? "free" : `held by ${PROCESSES[(s[LOCK] - 1) % MAIN]}`;
    const messages = Array.from({ length: this.#world.allMessages }, (_, i) => this.#fate(s, i + 1)).join(", ");
    const ring = `cursor = head + ${distance(CURSOR)}, tail = head + ${distance(TAIL)}`;
    return `lock ${lock}, ${ring}, SPACE = ${s[SPACE]}, PARKED = ${s[PARKED]}; ${messages}`;
  }

  #fate(s: State, message: number): string {
    const runs = s[RUNS + message];
    const name = this.#name(message);
    if (s[DEAD_LETTERS + message] !== 0) return `${name} dead letter`;
    if (runs !== 0) return `${name} ${runs === FINISHED ? "handled" : "handler has run"}`;
    return `${name} ${s[ACCEPTED + message] === 0 ? "not accepted" : "accepted"}`;
  }

  #name(message: number): string {
    const sender = this.#world.senderOf(message);
    return `${sender === SENDER_A ? "A" : "B"}${message - this.#world.message(sender, 0) + 1}`;
  }

  #crash(s: State, process: number): boolean {
    const pc = PCS[process];
    const { crashes, mortals } = this.#scenario;
    if (s[CRASHES] === crashes || !mortals.includes(process)) return false;
    if (process === CONSUMER) {
      if (s[pc] === EXITED || s[pc] === C.none) return false;
      const threads = s[CONSUMER_THREADS];
      s.fill(0, CONSUMER_WORDS, MAIN_WORDS);
      s[CONSUMER_THREADS] = threads;
    } else {
      if (s[pc] === EXITED || s[pc] === S.done || s[pc] === S.early) return false;
      // Whatever has become of the message in hand, the next thread goes on with the one after it.
      const sent = s[pc + SENT] + 1;
      const inside = s[pc] >= S.lookSeq && s[pc] <= S.publish;
      const threads = s[pc + THREADS];
      s.fill(0, pc, pc === SENDERS[0] ? SENDERS[1] : CONSUMER_WORDS);
      s[pc + SENT] = sent;
      s[pc + THREADS] = threads;
      if (inside) this.#world.clearUnpublished(s);
    }
    s[pc] = EXITED;
    s[CRASHES]++;
    return true;
  }

  /** The thread is joined, and main's event loop says so. */
  #processExit(s: State, process: number): boolean {
    const pc = PCS[MAIN];
    if ((s[pc] !== M.idle && s[pc] !== M.free) || s[PCS[process]] !== EXITED) return false;
    s[DEAD] = process;
    s[pc] = process === CONSUMER && this.#world.recoversFirst ? M.recover : M.lock;
    return true;
  }
}
