/** What goes wrong on purpose: a leak up to the heap cap, an exception, `process.exit`. */
export type Fault = "leak" | "throw" | "exit";

/** Strikes once: in this incarnation of a parser, in the n-th batch it handles, counted from 1. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly incarnation: number;
  readonly batch: number;
}

/** Batches on their way to each parser at any time: one being parsed, the others queued in its mailbox. */
export const WINDOW = 4;

/** What a parser's exit reason says about the fault it died of. */
export const EXIT_KIND_OF: Readonly<Record<Fault, string>> = {
  leak: "heap_cap_exceeded",
  throw: "error",
  exit: "exit_called",
};

/**
 * One list of faults for each parser. The parsers that surely get a batch share them; several faults of one parser
 * strike in successive incarnations, each in the middle of the batches that its mailbox surely holds.
 */
export function planFaults(parsers: number, batches: number): PlannedFault[][] {
  const plans: PlannedFault[][] = Array.from({ length: parsers }, () => []);
  const busy = Math.min(parsers, batches);
  if (busy === 0) return plans;
  const sure = Math.min(WINDOW, Math.max(1, Math.floor(batches / parsers)));
  const faults: Fault[] = ["leak", "exit", "throw"];
  for (const [parser, plan] of plans.slice(0, busy).entries()) {
    const mine = faults.filter((_, i) => i % busy === parser);
    let lastOrdinal = 1;
    for (const [i, fault] of mine.entries()) {
      const ordinal = Math.ceil((sure * (i + 1)) / (mine.length + 1));
      // The batch that was in hand at a crash is the first of the next incarnation.
      plan.push({ fault, incarnation: i + 1, batch: ordinal - lastOrdinal + 1 });
      lastOrdinal = ordinal;
    }
  }
  return plans;
}
