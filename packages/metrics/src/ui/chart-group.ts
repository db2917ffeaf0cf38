import { Chart, type ChartSpec } from "./charts.js";
import { el } from "./dom.js";

/** Charts that show the same points, side by side. */
export class ChartGroup {
  readonly element: HTMLElement;
  readonly #charts: readonly Chart[];

  constructor(specs: readonly ChartSpec[]) {
    this.#charts = specs.map((spec) => new Chart(spec));
    this.element = el("div", { class: "charts" }, ...this.#charts.map(({ element }) => element));
  }

  show(points: Parameters<Chart["show"]>[0]): void {
    for (const chart of this.#charts) chart.show(points);
  }

  /** Colours are others now. */
  redraw(): void {
    for (const chart of this.#charts) chart.redraw();
  }

  close(): void {
    for (const chart of this.#charts) chart.close();
  }
}

type Line = Pick<ChartSpec, "format" | "atLeast"> & { readonly label: string; readonly color?: string };

/** A chart of one column of these. */
export function lineOf<Name extends string>(columns: readonly Name[]) {
  return (title: string, name: Name, { label, color = "--series-1", ...line }: Line): ChartSpec => ({
    title,
    series: [{ label, color, column: columns.indexOf(name) }],
    ...line,
  });
}
