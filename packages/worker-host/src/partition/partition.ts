import { performance } from "node:perf_hooks";
import type { MemberRequest, Members, MemberTrace } from "../loop/members.js";
import type { OneWayOutbox } from "../protocol/calls/one-way-outbox.js";
import type { Inheritance, MemberSpec } from "../protocol/port/partition.js";
import type { Payload } from "../protocol/ring/payload.js";
import { Arrivals } from "./arrivals.js";
import { CancelledCalls } from "./cancelled-calls.js";
import { type Caller, type Cell, STARTING, UP, type Waiting } from "./cell.js";
import { ContextServices } from "./context-services.js";
import { abortCall, Handling } from "./handling.js";
import { Heirs } from "./heirs.js";
import { LastWordsWriter } from "./last-words.js";
import { Line } from "./line.js";
import { Lives } from "./lives.js";
import { LocalMail, type LocalMailHost } from "./local-mail.js";
import { Mailboxes } from "./mailboxes.js";
import { MemberContext } from "./member-context.js";
import { MemberLinks } from "./member-links.js";
import { MemberMonitors } from "./member-monitors.js";
import { MemberRequests } from "./member-requests.js";
import { MemberRestarts } from "./member-restarts.js";
import { MemberTimers } from "./member-timers.js";
import type { MemberType } from "./member-type.js";
import { MemberUpgrades } from "./member-upgrades.js";
import { MemberWeights } from "./member-weights.js";
import type { PartitionParts } from "./parts.js";
import { RingReplies } from "./ring-caller.js";
import { Roster } from "./roster.js";
import { Runner } from "./runner.js";

/** A turn handles at most this many messages of one member, then it is the next one's. */
const MESSAGES_A_TURN = 16;
/** Messages of all members between two looks at the partition's ring, and how long they may take. */
const MESSAGES_A_ROUND = 256;
const ROUND_MS = 2;
/** A look at the clock takes 40 ns, a fast message 300: the next look is after so many messages that were fast, else after one. */
const FAST_MESSAGES_A_LOOK = 16;
const FAST_MS = 0.2;
/** How often members whose handlers await are looked at. */
const SWEEP_MS = 50;

/** The light actors of one thread: whose turn it is, and what all parts of it have to do with each other. */
export class Partition implements Omit<Members, "isOfMain">, LocalMailHost {
  readonly table: Int32Array;
  readonly segment: number;
  readonly roster: Roster;
  readonly lives: Lives;
  readonly monitors: MemberMonitors;
  readonly links: MemberLinks;
  readonly #parts: PartitionParts;
  readonly #line = new Line();
  readonly #cancelled = new CancelledCalls();
  readonly #local: LocalMail;
  readonly #mailboxes: Mailboxes;
  readonly #runner: Runner;
  readonly #handling: Handling;
  readonly #arrivals: Arrivals;
  readonly #timers: MemberTimers;
  readonly #services: ContextServices;
  readonly #requests: MemberRequests;
  readonly #heirs: Heirs;
  readonly lastWords: LastWordsWriter;
  readonly weights: MemberWeights;
  readonly upgrades: MemberUpgrades;
  /** The last round took longer than it may. */
  #isLate = false;
  #roundEndsAt = 0;
  #lookedAt = 0;
  #untilLook = 1;
  #sweep: NodeJS.Timeout | undefined;

  constructor(parts: PartitionParts) {
    this.#parts = parts;
    this.table = parts.table;
    this.segment = parts.segment;
    this.#local = new LocalMail(this, parts.outbox);
    parts.outbox.local = this.#local;
    const line = this.#line;
    const roster = new Roster(parts);
    const mailboxes = new Mailboxes(parts, line, this.#local);
    const runner = new Runner(parts, line, () => this.expires());
    const lives = new Lives(parts, roster, mailboxes, runner, line, new MemberRestarts(parts.restarts));
    const monitors = new MemberMonitors(parts, roster, mailboxes);
    const links = new MemberLinks(parts, roster, mailboxes, lives);
    const timers = new MemberTimers(mailboxes, line);
    const services = new ContextServices(parts, { roster, line, lives, mailboxes, timers, monitors, links });
    lives.contextFor = (cell) => new MemberContext(services, cell);
    this.roster = roster;
    this.lives = lives;
    this.monitors = monitors;
    this.links = links;
    this.#mailboxes = mailboxes;
    this.#runner = runner;
    this.#timers = timers;
    this.#services = services;
    this.#handling = new Handling(parts, runner, this.#cancelled, lives.end);
    this.#requests = new MemberRequests(parts, roster, line, lives);
    const replies = new RingReplies(parts.supervisor, parts.outbox as OneWayOutbox);
    this.#arrivals = new Arrivals(parts, roster, mailboxes, replies);
    this.#heirs = new Heirs(parts, { roster, lives, mailboxes, replies });
    this.lastWords = new LastWordsWriter(parts, roster, mailboxes);
    this.upgrades = new MemberUpgrades(parts, { roster, runner, line });
    runner.afterwards = (cell) => this.upgrades.takes(cell);
    lives.afterEnd = (cell) => this.upgrades.ended(cell);
    this.weights = new MemberWeights(parts, roster, parts.caps, lives.end);
  }

  /** Takes over what the former thread left. Its members begin by `wake`. */
  inherit(inherited: Inheritance | undefined, typeOf: (spec: MemberSpec) => Promise<MemberType>): Promise<Cell[]> {
    return this.#heirs.take(inherited, typeOf);
  }

  wake(heirs: readonly Cell[]): void {
    for (const cell of heirs) this.#line.wake(cell);
  }

  /** What `ctx.spawn` starts. */
  set template(template: MemberType) {
    this.#services.spawns(template);
  }

  /** The partition's own `terminate` waits for its members. */
  draining(): void {
    this.#runner.draining();
  }

  // --- turns ---

  wakeBy(schedule: () => void): void {
    this.#line.wakeBy(schedule);
  }

  nextDue(): number {
    return this.#timers.nextDue;
  }

  isLate(): boolean {
    return this.#isLate;
  }

  work(): number {
    return this.#line.round(this.#turns);
  }

  readonly #turns = (): number => {
    this.#runner.begins();
    this.#timers.takeDue();
    const { microtasks, news } = this.#parts;
    this.#isLate = false;
    this.#lookedAt = performance.now();
    this.#roundEndsAt = this.#lookedAt + ROUND_MS;
    let handled = 0;
    while (handled < MESSAGES_A_ROUND && !this.#isLate) {
      const cell = this.#line.next();
      if (cell === undefined) break;
      handled += this.#turn(cell);
      // What a handler has left to run comes before the next message.
      if (microtasks.due) break;
    }
    news.flush();
    if (handled > 0) this.#runner.progressed();
    return handled;
  };

  #turn(cell: Cell): number {
    if (cell.phase === STARTING && !cell.busy) {
      this.lives.begin(cell);
      this.#look();
      return 1;
    }
    let handled = 0;
    while (handled < MESSAGES_A_TURN && !cell.busy && cell.phase === UP) {
      if (!this.#one(cell)) return handled;
      handled++;
      if (this.#look()) break;
      if (this.#parts.microtasks.due) break;
    }
    this.#line.wake(cell);
    return Math.max(1, handled);
  }

  /** One more is done. Looks at the clock when it is time to: whether this round has taken as long as it may. */
  #look(): boolean {
    if (--this.#untilLook > 0) return false;
    const now = performance.now();
    this.#untilLook = now - this.#lookedAt < FAST_MS ? FAST_MESSAGES_A_LOOK : 1;
    this.#lookedAt = now;
    this.#isLate = now > this.#roundEndsAt;
    return this.#isLate;
  }

  /** Does one thing. False when it has nothing to do. */
  #one(cell: Cell): boolean {
    if (cell.stopping !== undefined) {
      this.lives.terminate(cell, cell.stopping);
      return true;
    }
    if (cell.suspended && cell.draining === undefined) return false;
    const own = this.#mailboxes.takeOwn(cell);
    if (own !== undefined) {
      this.#handling.own(cell, own);
      return true;
    }
    const waiting = this.#mailboxes.take(cell);
    if (waiting !== undefined) {
      this.#handling.message(cell, waiting);
      return true;
    }
    if (cell.draining === undefined) return false;
    this.lives.terminate(cell, cell.draining);
    return true;
  }

  /** Looks at what may take too long, as long as there is something. */
  expires(): void {
    if (this.#sweep !== undefined) return;
    this.#sweep = this.#parts.attribution.asNone(() => setTimeout(this.#looking, SWEEP_MS)).unref();
  }

  readonly #looking = (): void => {
    this.#sweep = undefined;
    const now = performance.now();
    this.#runner.overdue(now, this.lives.end);
    this.#local.expire(now);
    this.#parts.news.flush();
    if (this.#runner.expires || this.#local.waits) this.expires();
  };

  // --- messages from other threads ---

  /** For what comes by the ring once the thread has said its last words. */
  set late(late: (cell: Cell, waiting: Waiting) => void) {
    this.#arrivals.late = late;
  }

  receive(
    header: Int32Array,
    methodText: string,
    payload: Payload,
    countedBytes: number,
    transferred?: readonly unknown[],
  ): void {
    this.#arrivals.receive(header, methodText, payload, countedBytes, transferred);
  }

  cancelled(callerUid: number, correlation: number): boolean {
    for (const cell of this.#runner.awaiting) {
      if (cell.caller?.is(callerUid, correlation) !== true) continue;
      abortCall(cell);
      return true;
    }
    this.#cancelled.add(callerUid, correlation);
    return true;
  }

  trace(request: MemberTrace): void {
    this.#requests.trace(request);
  }

  asked(request: MemberRequest): unknown {
    return this.#requests.carryOut(request);
  }

  // --- messages from its own members ---

  get current(): Cell | undefined {
    return this.#parts.attribution.current;
  }

  named(id: string): Cell | undefined {
    return this.roster.named(id);
  }

  cellOf(number: number, generation: number): Cell | undefined {
    return this.roster.cellOf(number, generation);
  }

  offer(cell: Cell, waiting: Waiting): number {
    return this.#mailboxes.offer(cell, waiting);
  }

  dropped(cell: Cell, method: string): void {
    this.#mailboxes.dropped(cell, method);
  }

  givenUp({ latest }: Cell, caller: Caller): void {
    if (latest.caller === caller) abortCall(latest);
    else this.#mailboxes.withdraw(latest, caller);
  }
}
