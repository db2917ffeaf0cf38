export interface Order {
  readonly customer: string;
  readonly rows: number;
  /** A regular expression that comes from the customer. */
  readonly filter?: string;
}

export interface Report {
  readonly kept: number;
}

/** Work for the CPU, with a size and a pattern that come from strangers. */
export default function report({ customer, rows, filter = "" }: Order): Report {
  const pattern = new RegExp(filter);
  const lines = Array.from({ length: rows }, (_, row) => `${customer} ${"a".repeat(30)} ${row}`);
  return { kept: lines.filter((line) => pattern.test(line)).length };
}
