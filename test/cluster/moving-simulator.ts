import { Arrivals, type Sender } from "#cluster/children/arrivals.js";
import { Sending, type Sent } from "#cluster/children/sending.js";

/** What may happen next, of so many kinds; see `step`. */
export const KINDS = 12;

export interface Op {
  readonly kind: number;
  /** Which of those that may be meant. */
  readonly which: number;
}

interface Door {
  readonly generation: string;
  readonly arrivals: Arrivals;
  readonly line: { readonly sent: Sent<number>; readonly sender: Sender }[];
  isClosed: boolean;
}

type Answer = "taken" | "unsent" | { readonly taken: number; readonly isClosed: boolean };

/** One node that sends to what moves: over owners that come and go, and a connection that is lost, by a schedule. */
export class MovingSimulator {
  readonly handled: number[] = [];
  /** Lost with the connection: handled or not. */
  readonly inDoubt: number[] = [];
  /** No message could carry them. */
  readonly uncloneable: number[] = [];
  sent = 0;
  readonly #sending = new Sending<number>(() => 1);
  readonly #underWay: Sent<number>[] = [];
  /** In any order: a call is answered when it has been handled. */
  readonly #answers: { readonly sent: Sent<number>; readonly answer: Answer }[] = [];
  #door: Door | undefined;
  #former: Door[] = [];
  #doors = 0;
  /** By run. */
  readonly #generations = new Map<number, string>();
  /** What the sender has been told of the owner. */
  #known: string | undefined;

  step({ kind, which }: Op): void {
    const door = this.#door;
    if (kind <= 2) this.#sending.add(++this.sent);
    else if (kind <= 4) this.#go(which);
    else if (kind <= 6) this.#arrive();
    else if (kind === 7) this.#take();
    else if (kind === 8) this.#answered(which);
    else if (kind === 9 && door !== undefined) this.#close(door);
    else if (kind === 9) this.#open();
    else if (kind === 10) this.#known = which % 2 === 0 ? this.#door?.generation : this.#known;
    else if (which % 8 === 0) this.#cut(which % 3);
    else this.#full();
  }

  /** All faults are over. */
  settle(): void {
    if (this.#door === undefined) this.#open();
    this.#known = this.#door?.generation;
    for (let turns = 0; turns < 10_000 && this.#isBusy; turns++) {
      this.#go(1);
      this.#arrive();
      this.#take();
      this.#answered(0);
    }
    if (this.#isBusy) throw new Error("what was sent does not come to an end");
  }

  get #isBusy(): boolean {
    return this.#sending.held + this.#sending.underWay > 0;
  }

  #go(which: number): void {
    const sent = this.#sending.next(this.#known);
    if (sent === undefined) return;
    this.#generations.set(sent.run, this.#known ?? "");
    if (which % 16 !== 0) {
      this.#underWay.push(sent);
      return;
    }
    this.uncloneable.push(sent.message);
    this.#sending.settled(sent);
  }

  #open(): void {
    this.#door = { generation: `1.${++this.#doors}`, arrivals: new Arrivals(), line: [], isClosed: false };
  }

  /** It hands over: what it has not taken it refuses. */
  #close(door: Door): void {
    door.isClosed = true;
    for (const { sent } of door.line.splice(0)) this.#refuse(door, sent);
    this.#former.push(door);
    this.#door = undefined;
  }

  #arrive(): void {
    const sent = this.#underWay.shift();
    if (sent === undefined) return;
    const generation = this.#generations.get(sent.run);
    const door = [...this.#former, this.#door].find((one) => one?.generation === generation);
    if (door === undefined) throw new Error("it goes to what has never been");
    const { run, number } = sent;
    const sender = door.isClosed ? undefined : door.arrivals.comesIn("s", "1", run, number);
    if (sender === undefined) this.#refuse(door, sent);
    else door.line.push({ sent, sender });
  }

  #take(): void {
    const door = this.#door;
    const next = door?.line.shift();
    if (door === undefined || next === undefined) return;
    const { sent, sender } = next;
    const { number, message } = sent;
    if (!door.arrivals.mayBeTaken("s", sender, number)) {
      this.#refuse(door, sent);
      return;
    }
    sender.taken = number;
    this.handled.push(message);
    this.#answers.push({ sent, answer: "taken" });
  }

  /** Its mailbox has had no room for too long. */
  #full(): void {
    const next = this.#door?.line.shift();
    if (this.#door !== undefined && next !== undefined) this.#refuse(this.#door, next.sent);
  }

  #refuse(door: Door, sent: Sent<number>): void {
    const taken = door.arrivals.refused("s", sent.run, sent.number);
    this.#answers.push({ sent, answer: { taken, isClosed: door.isClosed } });
  }

  #answered(which: number): void {
    const [answered] = this.#answers.splice(which % Math.max(1, this.#answers.length), 1);
    if (answered === undefined) return;
    const { sent, answer } = answered;
    if (answer === "taken") this.#sending.settled(sent);
    else if (answer === "unsent") this.#sending.refused(sent);
    else this.#sending.refused(sent, answer);
  }

  /** The connection is lost: what had left is in doubt, as what is at the door. What had not left is told to be so later. */
  #cut(unsent: number): void {
    const kept = this.#underWay.splice(Math.max(0, this.#underWay.length - unsent));
    const atDoor = (this.#door?.line.splice(0) ?? []).map(({ sent }) => sent);
    for (const door of [...this.#former, this.#door]) door?.arrivals.forget("s");
    const lost = [...this.#underWay.splice(0), ...this.#answers.splice(0).map(({ sent }) => sent), ...atDoor];
    for (const sent of lost) {
      this.#sending.settled(sent, true);
      this.inDoubt.push(sent.message);
    }
    for (const sent of kept) this.#answers.push({ sent, answer: "unsent" });
  }
}
