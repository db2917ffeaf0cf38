import type { Transferable } from "../protocol/refs/actor-types.js";

const TRANSFERABLE = Symbol.for("Piscina.transferable");
const VALUE = Symbol.for("Piscina.valueOf");

/** A result that `Piscina.move` has marked. */
export interface MovedResult {
  readonly value: unknown;
  readonly list: readonly Transferable[];
  /** What piscina knows it by. */
  as<T>(value: T, list: readonly Transferable[]): unknown;
}

/** Undefined for a result without the mark. */
export function movedResult(result: unknown): MovedResult | undefined {
  const mark = markOf(result);
  if (mark === undefined) return undefined;
  const marked = result as Record<symbol, unknown>;
  return {
    value: marked[VALUE],
    list: [marked[TRANSFERABLE]].flat() as Transferable[],
    as: (value, list) => ({ [TRANSFERABLE]: list, [VALUE]: value, [mark]: true }),
  };
}

/** Finds piscina's own symbol by its name, because piscina does not export it. */
function markOf(result: unknown): symbol | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  if (!(TRANSFERABLE in result && VALUE in result)) return undefined;
  return Object.getOwnPropertySymbols(result).find(({ description }) => description === "Piscina.kMovable");
}
