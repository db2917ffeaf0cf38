import {
  isHeld,
  type LeaseAction,
  type LeaseEntry,
  type LeaseEvent,
  type LeaseState,
  type LeaseValue,
  leaseStep,
  newLease,
  newWatch,
  overdue,
  type WatchState,
  watchStep,
} from "#cluster/nodes/lease.js";

export const TIMES = { renewMs: 2000, holdMs: 8000, takeOverMs: 12_000 };

type Asked =
  | { readonly type: "read" }
  | { readonly type: "write"; readonly value: LeaseValue; readonly revision: number | undefined };

interface Client {
  readonly rate: number;
  lease: LeaseState;
  granted: number;
  ended: string | undefined;
  asked: Asked | undefined;
  answer: LeaseEvent | undefined;
  dead: boolean;
}

/** Two processes of one name, and another node that watches their lease, at a bucket of one key. */
export class LeaseSimulator {
  now = 0;
  entry: LeaseEntry | undefined;
  readonly clients: Client[];
  readonly watch: WatchState = newWatch(TIMES.takeOverMs);
  readonly watchRate: number;
  /** Every value that was ever accepted. */
  readonly history: LeaseValue[] = [];
  #revision = 0;
  #revoking: { readonly revision: number; readonly value: LeaseValue } | undefined;

  constructor(rates: readonly number[]) {
    const [one, other, watcher] = rates;
    this.watchRate = watcher;
    this.clients = [one, other].map((rate, i) => ({
      rate,
      lease: newLease(`x${i}`, TIMES, { mono: 0, wall: 0 }),
      granted: 0,
      ended: undefined,
      asked: undefined,
      answer: undefined,
      dead: false,
    }));
  }

  clocksOf({ rate }: Client): { mono: number; wall: number } {
    return { mono: this.now * rate, wall: this.now * rate };
  }

  event(client: Client, event: LeaseEvent): void {
    if (client.dead) return;
    for (const action of leaseStep(client.lease, event, this.clocksOf(client))) this.#carryOut(client, action);
  }

  /** The bucket does what it was asked. */
  arrive(client: Client): void {
    const { asked } = client;
    client.asked = undefined;
    if (asked === undefined) return;
    if (asked.type === "read") client.answer = { type: "read", entry: this.entry };
    else if (this.entry?.revision === asked.revision)
      client.answer = { type: "written", revision: this.#write(asked.value) };
    else client.answer = { type: "refused" };
  }

  answered(client: Client, lost: boolean): void {
    const { answer } = client;
    client.answer = undefined;
    if (answer !== undefined) this.event(client, lost ? { type: "unknown" } : answer);
  }

  /** The other node looks, decides, and its revocation is on its way. */
  look(): void {
    const mono = this.now * this.watchRate;
    watchStep(this.watch, "x", this.entry, mono);
    for (const { entry } of overdue(this.watch, mono)) {
      this.#revoking = { revision: entry.revision, value: { ...entry.value, revokedBy: "w" } };
    }
  }

  revoke(): void {
    const revoking = this.#revoking;
    this.#revoking = undefined;
    if (revoking !== undefined && this.entry?.revision === revoking.revision) this.#write(revoking.value);
  }

  get holders(): Client[] {
    return this.clients.filter((client) => !client.dead && isHeld(client.lease, this.clocksOf(client)));
  }

  /** Throws when two own at a time, or one whose lease is another's or revoked. */
  check(): void {
    const { holders, entry } = this;
    if (holders.length > 1) throw new Error(`two own at ${this.now}`);
    const [holder] = holders;
    const { value } = entry ?? {};
    if (holder !== undefined && (value?.incarnation !== holder.lease.incarnation || value.revokedBy !== undefined)) {
      throw new Error(`${holder.lease.incarnation} owns at ${this.now} what is ${JSON.stringify(value)}`);
    }
  }

  #write(value: LeaseValue): number {
    this.#revision++;
    this.entry = { value, revision: this.#revision };
    this.history.push(value);
    return this.#revision;
  }

  #carryOut(client: Client, action: LeaseAction): void {
    if (action.type === "read" || action.type === "write") client.asked = action;
    else if (action.type === "granted") client.granted++;
    else client.ended = action.type === "lost" ? action.why : `taken by ${action.by}`;
  }
}
