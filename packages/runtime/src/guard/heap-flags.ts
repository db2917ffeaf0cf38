import { ActorError } from "@mini-otp/worker-host/protocol/errors";

/*
 * Flags of the process that silently replace every worker's own limit, while `resourceLimits` still reports the
 * requested values. If a flag allows less than an actor's cap, V8 ends the process before the guard can end the actor.
 * If it allows more, the guard enforces the cap as usual.
 */

export interface HeapFlag {
  /** The flag as it was given, and where. */
  readonly flag: string;
  readonly limitMb: number;
}

const HEAP_FLAG = /^--max[-_](?:old[-_]space|heap)[-_]size(?:=(\d+))?$/;

/** The flag that limits every heap of the process, if there is one. V8 uses the last one given. */
export function findHeapFlag(execArgv: readonly string[], nodeOptions = ""): HeapFlag | undefined {
  const given = [
    ...nodeOptions.split(/\s+/).map((arg) => ({ arg, from: "NODE_OPTIONS " })),
    ...execArgv.map((arg) => ({ arg, from: "" })),
  ];
  let found: HeapFlag | undefined;
  for (const [index, { arg, from }] of given.entries()) {
    const match = HEAP_FLAG.exec(arg);
    if (match === null) continue;
    const limitMb = Number(match[1] ?? given[index + 1]?.arg);
    if (limitMb > 0) found = { flag: `${from}${arg}`, limitMb };
  }
  return found;
}

/** Throws ERR_HEAP_CAP_INEFFECTIVE when the flag allows less than an actor's cap. */
export function checkHeapFlag(flag: HeapFlag | undefined, id: string, heapCapMb: number): void {
  if (flag === undefined || flag.limitMb >= heapCapMb) return;
  throw new ActorError(
    "ERR_HEAP_CAP_INEFFECTIVE",
    `id=${id} heapCapMb=${heapCapMb}: the process runs with ${flag.flag}, which limits every thread to ${flag.limitMb} MiB`,
    { id, heapCapMb, flag: flag.flag, limitMb: flag.limitMb },
  );
}
