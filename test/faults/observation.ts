/** What a process that ran one fault program says, as one line of JSON. */
export interface Observation {
  readonly fault: string;
  readonly node: string;
  /** The reason of the exit, or of the failed start. */
  readonly reason: Record<string, unknown> & { readonly kind: string };
  /** How the call that caused it settled: its error's code, or "replied". */
  readonly call: string;
  /** The code of the error a failed start rejected with. */
  readonly startCode: string | undefined;
  readonly restarted: boolean;
  /** Of a light actor: the answer to a call that its neighbour had accepted before, and handled after. */
  readonly accepted?: string;
  readonly zombies: number;
  /** From the fault's start to the exit. */
  readonly endedMs: number;
  readonly siblingMaxMs: number;
  readonly siblingPings: number;
  readonly loopDelayMaxMs: number;
  readonly peakRssMb: number;
  readonly openCalls: number;
}
