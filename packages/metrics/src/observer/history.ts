import type { Points } from "../ui/wire.js";

/** One point a second, so that the charts show ten minutes. */
const POINTS = 600;

/** A bounded time series of some columns, in 32-bit floats: 17 KB for five of them. */
export class History {
  readonly #times = new Float64Array(POINTS);
  readonly #columns: readonly Float32Array[];
  #count = 0;

  constructor(columns: number) {
    this.#columns = Array.from({ length: columns }, () => new Float32Array(POINTS));
  }

  /** How many points were added so far. */
  get count(): number {
    return this.#count;
  }

  add(time: number, values: readonly (number | undefined)[]): void {
    const place = this.#count++ % POINTS;
    this.#times[place] = time;
    for (const [i, column] of this.#columns.entries()) column[place] = values[i] ?? Number.NaN;
  }

  /** The points that were added after the first `count`; all that are kept when that is too long ago. */
  since(count: number): Points {
    const oldest = Math.max(0, this.#count - POINTS);
    const whole = count <= oldest || count > this.#count;
    const places: number[] = [];
    for (let at = whole ? oldest : count; at < this.#count; at++) places.push(at % POINTS);
    return {
      whole,
      times: places.map((place) => this.#times[place]),
      columns: this.#columns.map((column) => places.map((place) => known(column[place]))),
    };
  }
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 100) / 100;
}
