import { setTimeout as wait } from "node:timers/promises";

/** The limits that every library gets, each by its own options. */
export const HEAP_MB = 64;
export const TASK_MS = 2_000;

/** What the threads of every library run. */
export const WORK = {
  ok: () => "ok",
  /** Longer than any fault takes to be noticed, but for the endless loop. */
  neighbour: () => wait(1_500, "ok"),
  map: () => {
    const map = new Map<number, object>();
    for (let i = 0; ; i++) map.set(i, { i });
  },
  loop: () => {
    for (;;);
  },
  exit: () => {
    process.exit(1);
  },
  rejection: async () => {
    void Promise.reject(new Error("nothing catches this"));
    await wait(300);
    return "ok";
  },
} as const;

export type WorkName = keyof typeof WORK;

/** The faults, in the words of the table. */
export const FAULTS = {
  map: "a `Map` that grows without end",
  loop: "an endless loop",
  exit: "`process.exit(1)`",
  rejection: "a rejection that nothing catches",
} as const satisfies Partial<Record<WorkName, string>>;

export type Fault = keyof typeof FAULTS;
