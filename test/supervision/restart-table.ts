import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType } from "#runtime/supervision/child.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";

export const REASONS: Record<string, ExitReason> = {
  normal: { kind: "normal" },
  shutdown: { kind: "shutdown" },
  "shutdown with detail": { kind: "shutdown", detail: "some info" },
  error: { kind: "error", error: new Error("boom") },
  killed: { kind: "killed" },
  "heap cap": { kind: "heap_cap_exceeded", heapCapMb: 64, usedMb: 80 },
  unresponsive: { kind: "unresponsive", method: "spin", afterMs: 30_000 },
  "exit called": { kind: "exit_called", code: 0 },
};

// What becomes of a child that ends by itself: restarted; its spec is kept; or deleted.
const OUTCOMES = `
                        permanent   transient   temporary
normal                  restart     keep        delete
shutdown                restart     keep        delete
shutdown with detail    restart     keep        delete
error                   restart     restart     delete
killed                  restart     restart     delete
heap cap                restart     restart     delete
unresponsive            restart     restart     delete
exit called             restart     restart     delete
`;

// Of the children a, b, c: what the restart of b sets in motion.
const MOVES: Record<Strategy, string[]> = {
  one_for_one: ["start b"],
  one_for_all: ["stop c", "stop a", "start a", "start b", "start c"],
  rest_for_one: ["stop c", "start b", "start c"],
};

/** One cell of the table, under one strategy. */
export interface Case {
  readonly name: string;
  readonly strategy: Strategy;
  readonly restart: RestartType;
  /** The row of the table. */
  readonly ending: string;
  readonly reason: ExitReason;
  readonly outcome: string;
  readonly moves: readonly string[];
  /** The children left, in start order. */
  readonly left: readonly string[];
}

export function cases(): Case[] {
  const [header, ...rows] = OUTCOMES.trim()
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/));
  return (Object.keys(MOVES) as Strategy[]).flatMap((strategy) =>
    rows.flatMap(([reason, ...outcomes]) =>
      outcomes.map((outcome, column): Case => {
        const restart = header[column] as RestartType;
        const otp = reason === "normal" ? "normal" : reason.startsWith("shutdown") ? "shutdown" : "abnormal";
        const said = { restart: "is restarted", keep: "stays down, its spec kept", delete: "is gone" }[outcome];
        return {
          // Promise: permanent-child-always
          // Promise: transient-child-unless-ends
          // Promise: temporary-child-never-spec
          name: `[${restart}_${otp}] a ${restart} child that ends with ${reason} ${said} (${strategy})`,
          strategy,
          restart,
          ending: reason,
          reason: REASONS[reason],
          outcome,
          moves: outcome === "restart" ? MOVES[strategy] : [],
          left:
            outcome === "delete"
              ? ["a:running", "c:running"]
              : ["a:running", outcome === "keep" ? "b:stopped" : "b:running", "c:running"],
        };
      }),
    ),
  );
}
