import { Chart, type ChartPoints, type ChartSpec } from "./charts.js";
import { el } from "./dom.js";

/** Charts side by side that show the same points. */
export class ChartGroup {
  readonly element: HTMLElement;
  readonly #charts: readonly Chart[];

  constructor(specs: readonly ChartSpec[]) {
    this.#charts = specs.map((spec) => new Chart(spec));
    this.element = el("div", { class: "charts" }, ...this.#charts.map(({ element }) => element));
  }

  show(points: ChartPoints): void {
    for (const chart of this.#charts) chart.show(points);
  }

  /** Called when the colours have changed. */
  redraw(): void {
    for (const chart of this.#charts) chart.redraw();
  }

  close(): void {
    for (const chart of this.#charts) chart.close();
  }
}

/** Charts of the columns of `names`. */
export class ChartsOf<Name extends string> {
  readonly #names: readonly Name[];

  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  column(name: Name): number {
    return this.#names.indexOf(name);
  }

  /** A chart of one line. */
  line(
    title: string,
    name: Name,
    {
      label,
      format,
      atLeast,
      color = "--series-1",
    }: { label: string; color?: string } & Omit<ChartSpec, "title" | "series">,
  ): ChartSpec {
    return { title, series: [{ label, color, column: this.column(name) }], format, atLeast };
  }
}
