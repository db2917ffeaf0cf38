import type { Points } from "./wire.js";

/** As many as the server keeps. */
const POINTS = 600;

/** A time series that the server extends. Each change makes new arrays. */
export class PointSeries {
  times: readonly number[] = [];
  columns: readonly (readonly (number | null)[])[] = [];

  add({ whole, times, columns }: Points): void {
    if (whole) this.clear();
    this.times = [...this.times, ...times].slice(-POINTS);
    this.columns = columns.map((column, i) => [...(this.columns[i] ?? []), ...column].slice(-POINTS));
  }

  clear(): void {
    this.times = [];
    this.columns = [];
  }
}
