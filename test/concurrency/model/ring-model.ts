import { claimByCompareAndSwap } from "./claim-by-cas.js";
import { consumerProgram } from "./consumer.js";
import { mainProgram } from "./main.js";
import { C, M, S } from "./program-counters.js";
import { CONSUMER, MAIN, PROCESSES, SCENARIO, type Scenario, SENDER_A, SENDER_B } from "./scenario.js";
import type { Model } from "./search.js";
import { senderProgram } from "./sender.js";
import {
  ACCEPTED,
  CONSUMER_WORDS,
  CRASHES,
  CURSOR,
  DEAD,
  DEAD_LETTERS,
  FIELDS,
  FINISHED,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  LOCK,
  MAIN_WORDS,
  maximaOf,
  NEXT_SEQ,
  OWN_HEAD,
  OWN_TAIL,
  PC,
  PARKED,
  PCS,
  ROOM_HEAD,
  ROOM_SEQ,
  RUNS,
  SENDERS,
  SENT,
  SPACE,
  STATE,
  STATE_OPEN,
  type State,
  TAIL,
  THREADS,
  UID,
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
    this.#programs = [sender, sender, consumerProgram(this.#world), mainProgram(this.#world)];
  }

  begin(s: State): void {
    const { firstPosition, firstSeq } = this.#world;
    s.fill(0);
    s[UID] = 1;
    s[STATE] = STATE_OPEN;
    for (const word of [TAIL, HEAD, CURSOR, OWN_HEAD, OWN_TAIL, ROOM_HEAD]) s[word] = firstPosition;
    for (const word of [NEXT_SEQ, HANDLED_SEQ]) s[word] = firstSeq;
    s[ROOM_SEQ] = this.#world.seqAfter(firstSeq, -this.#scenario.capacity);
    s[PCS[SENDER_A]] = this.#world.senderStart;
    s[PCS[SENDER_B]] = this.#world.senderStart;
    s[PCS[CONSUMER]] = C.pending;
    s[PCS[MAIN]] = M.idle;
    if (this.#scenario.recycled) {
      // The consumer has exited, and nobody starts it again.
      s[PCS[SENDER_B]] = S.early;
      s[PCS[CONSUMER]] = EXITED;
      s[OWN_HEAD] = s[OWN_TAIL] = 0;
      s[PCS[MAIN]] = M.close;
      s[DEAD] = CONSUMER;
    }
  }

  take(s: State, action: number): boolean {
    if (action >= CRASHES_OF) return this.#crash(s, action - CRASHES_OF);
    if (action >= EXITS) return processExit(s, action - EXITS);
    const pc = PCS[action];
    const step = this.#programs[action][s[pc]];
    if (step.when !== undefined && !step.when(s, pc)) return false;
    s[pc] = step.run(s, pc);
    return true;
  }

  worthwhile(s: State): number {
    for (let process = 0; process <= MAIN; process++) {
      if (this.#programs[process][s[PCS[process]]].alone !== true) continue;
      return process === MAIN ? 1 << MAIN : (1 << process) | (1 << (CRASHES_OF + process));
    }
    return -1;
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
      const accounted = s[RUNS + message] !== 0 || s[DEAD_LETTERS + message] !== 0;
      if (accepted && !accounted) return `message ${this.#name(message)} was accepted, and then lost`;
    }
    if (s[HEAD] !== s[TAIL] || s[CURSOR] !== s[TAIL] || s[LOCK] !== 0 || s[IN_FLIGHT] !== 0) return "the ring is not empty";
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
    const lock = s[LOCK] === 0 ? "free" : `held by ${PROCESSES[(s[LOCK] - 1) % 2]}`;
    const messages = Array.from({ length: this.#world.allMessages }, (_, i) => this.#fate(s, i + 1)).join(", ");
    return `lock ${lock}, cursor = head + ${distance(CURSOR)}, tail = head + ${distance(TAIL)}, SPACE = ${s[SPACE]}, PARKED = ${s[PARKED]}; ${messages}`;
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
      s.fill(0, CONSUMER_WORDS, MAIN_WORDS);
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
}

/** The thread is joined and main's event loop says so. */
function processExit(s: State, process: number): boolean {
  const free = s[PCS[MAIN]] === M.idle || s[PCS[MAIN]] === M.free;
  if (!free || s[PCS[process]] !== EXITED) return false;
  s[DEAD] = process;
  s[PCS[MAIN]] = M.lock;
  return true;
}
