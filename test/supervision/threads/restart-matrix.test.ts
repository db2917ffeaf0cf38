import type { SupervisorRef } from "@mini-otp/runtime";
import { type ActorRef, type ActorSystem, startSystem, supervisor } from "@mini-otp/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type Ending from "../../fixtures/ending.actor.js";
import { eventually } from "../../support/eventually.js";
import { ofPart } from "../../support/part.js";
import { fixture } from "../../support/system.js";
import { type Case, cases, REASONS } from "../restart-table.js";

type EndingRef = ActorRef<typeof Ending>;

/** How an actor in a thread of its own comes to each of the table's ends. */
const ENDINGS: Record<string, (ref: EndingRef, system: ActorSystem) => unknown> = {
  normal: (ref) => ref.cast("stop", REASONS.normal),
  shutdown: (ref) => ref.cast("stop", REASONS.shutdown),
  "shutdown with detail": (ref) => ref.cast("stop", REASONS["shutdown with detail"]),
  error: (ref) => ref.cast("crash", "boom"),
  killed: (ref, system) => system.exit(ref, "kill"),
  "heap cap": (ref) => ref.cast("hoard", 40),
  unresponsive: (ref) => ref.cast("spin"),
  "exit called": (ref) => ref.cast("exit", 0),
};

const actor = fixture("ending");
const idOf = ({ strategy, restart }: Case) => `${strategy}-${restart}`;

/** One system per ending: in it a supervisor for each strategy and restart type, with the children a, b and c. */
class Matrix {
  readonly #traces = new Map<string, string[]>();
  readonly #reasons = new Map<string, unknown>();
  #system!: ActorSystem;

  async start(ending: string, rows: readonly Case[]): Promise<void> {
    const heap = ending === "heap cap" ? { heapCapMb: 16 } : {};
    const watchdog = ending === "unresponsive" ? { handlerTimeoutMs: 1_000 } : {};
    this.#system = await startSystem({ logger: false });
    const start = (row: Case) =>
      this.#system.startChild(
        supervisor({
          id: idOf(row),
          strategy: row.strategy,
          children: [
            { id: "a", actor },
            { id: "b", actor, restart: row.restart, ...heap, ...watchdog },
            { id: "c", actor },
          ],
        }),
      );
    await Promise.all(rows.map(start));
    this.#system.on("actor_started", ({ supervisor, offender }) => this.#note(supervisor, `start ${offender.id}`));
    this.#system.on("actor_exited", ({ supervisor, offender, reason }) => {
      if (!this.#reasons.has(supervisor)) this.#reasons.set(supervisor, reason);
      this.#note(supervisor, `stop ${offender.id}`);
    });
    for (const row of rows) {
      await ENDINGS[ending](this.#supervisor(row).child("b") as EndingRef, this.#system);
      // Nine heaps at once would mostly wait for each other's collections.
      if (ending === "heap cap") await eventually(() => this.trace(row).length > 0, 60_000);
    }
    await eventually(() => rows.every((row) => this.trace(row).length > row.moves.length), 60_000);
  }

  stop(): Promise<unknown> {
    return this.#system.stop({ timeoutMs: 1_000 });
  }

  /** What was told of the children, as `exit b`, `start b`, …; the end that set it in motion comes first. */
  trace(row: Case): string[] {
    return this.#traces.get(`root/${idOf(row)}`) ?? [];
  }

  reasonOf(row: Case): unknown {
    return this.#reasons.get(`root/${idOf(row)}`);
  }

  states(row: Case): string[] {
    const children = this.#supervisor(row).whichChildren().toReversed();
    return children.map(({ id, state }) => `${id}:${state}`);
  }

  #supervisor(row: Case): SupervisorRef {
    return this.#system.child(idOf(row));
  }

  #note(supervisor: string, line: string): void {
    this.#traces.set(supervisor, [...(this.#traces.get(supervisor) ?? []), line]);
  }
}

const endings = Object.keys(ENDINGS);
/** The whole table is tested without threads: with threads the long part has one restart type of each ending and strategy. */
const isInPart = (ending: string, row: number): boolean =>
  ofPart(true, row % 3 === (Math.floor(row / 3) + endings.indexOf(ending)) % 3, true);

describe.each(endings)("actors in threads that end with %s", (ending) => {
  const rows = cases()
    .filter((row) => row.ending === ending)
    .filter((_, at) => isInPart(ending, at));
  const matrix = new Matrix();
  beforeAll(() => matrix.start(ending, rows), 90_000);
  afterAll(() => matrix.stop());

  for (const row of rows) {
    test(row.name, () => {
      const { kind } = row.reason;
      expect(matrix.reasonOf(row)).toMatchObject(kind === "shutdown" ? row.reason : { kind });
      expect(matrix.trace(row)).toEqual(["stop b", ...row.moves]);
      expect(matrix.states(row)).toEqual(row.left);
    });
  }
});

// Promise: holds-real-threads-whichever
test("the table of endings has a real one for each", () => {
  expect(endings).toEqual(Object.keys(REASONS));
});
