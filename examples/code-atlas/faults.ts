/** What goes wrong on purpose, each with what a parser's exit reason says about it. */
export const FAULTS = { leak: "heap_cap_exceeded", exit: "exit_called", throw: "error" } as const;

export type Fault = keyof typeof FAULTS;

/**
 * The faults of one parser; the n-th strikes in its n-th incarnation. Those parsers share them that surely get a batch.
 */
export function faultsOf(parser: number, parsers: number, batches: number): Fault[] {
  const busy = Math.min(parsers, batches);
  return (Object.keys(FAULTS) as Fault[]).filter((_, i) => i % busy === parser);
}

/** Does the damage to the calling actor. Never returns. */
export function strike(fault: Fault): never {
  if (fault === "throw") throw new Error("injected fault: thrown in the middle of the work");
  if (fault === "exit") process.exit(3);
  // Until the heap cap ends it.
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 4_096 }, (_, line) => ({ kept: kept.length, line })));
}
