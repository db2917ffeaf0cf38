import type uPlot from "uplot";
import { el, setAttribute, setText } from "./dom.js";
import { clockTime } from "./format.js";

export interface ChartSeries {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  /** The column of the points; or one number for all points, for a limit. */
  readonly column: number | (() => number | undefined);
}

export interface ChartSpec {
  readonly title: string;
  readonly series: readonly ChartSeries[];
  readonly format: (value: number | undefined) => string;
  /** The axis reaches at least this value. */
  readonly atLeast: number;
}

export interface ChartPoints {
  readonly times: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

const HEIGHT_PX = 120;
const AXIS_PX = 52;

/** A chart over time, with its values in words too. */
export class Chart {
  readonly element: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #values: readonly HTMLElement[];
  readonly #canvas = el("div", { class: "canvas", role: "img" });
  #plot: uPlot | undefined;
  #points: ChartPoints = { times: [], columns: [] };
  #closed = false;

  constructor(spec: ChartSpec) {
    this.#spec = spec;
    this.#values = spec.series.map(({ color }) => {
      const value = el("span", spec.series.length > 1 ? { class: "key" } : {});
      value.style.setProperty("--key", `var(${color})`);
      return value;
    });
    const now = el("span", { class: "now" }, ...this.#values);
    const caption = el("figcaption", {}, el("span", {}, spec.title), now);
    this.element = el("figure", { class: "chart" }, caption, this.#canvas);
    new ResizeObserver(() => {
      const width = this.#canvas.clientWidth;
      if (width > 0 && this.#plot?.width !== width) this.#plot?.setSize({ width, height: HEIGHT_PX });
    }).observe(this.#canvas);
  }

  show(points: ChartPoints): void {
    this.#points = points;
    if (this.#plot === undefined) void this.#draw();
    else this.#plot.setData(this.#data());
    this.#say(undefined);
  }

  /** Called when the colours have changed. */
  redraw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#canvas.clientWidth > 0) this.show(this.#points);
  }

  close(): void {
    this.#closed = true;
    this.#plot?.destroy();
  }

  async #draw(): Promise<void> {
    // Loaded here, because the tree does not need it.
    const { default: Plot } = await import("./uplot.js");
    if (this.#closed || this.#plot !== undefined) return;
    const axis = {
      stroke: this.#color("--muted"),
      grid: { stroke: this.#color("--line"), width: 1 },
      ticks: { show: false },
    };
    const options: uPlot.Options = {
      width: Math.max(this.#canvas.clientWidth, 200),
      height: HEIGHT_PX,
      ms: 1,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(this.#spec.atLeast, (max ?? 0) * 1.1)] } },
      axes: [
        { ...axis, font: "11px system-ui", size: 24, space: 70, values: (_plot, times) => times.map(clockTime) },
        {
          ...axis,
          font: "11px system-ui",
          size: AXIS_PX,
          space: 32,
          values: (_plot, values) => values.map((value) => this.#spec.format(value)),
        },
      ],
      series: [
        {},
        ...this.#spec.series.map(({ label, color, column }) => ({
          label,
          stroke: this.#color(color),
          width: 1.5,
          points: { show: false },
          ...(typeof column === "number" ? {} : { dash: [4, 4] }),
        })),
      ],
      hooks: { setCursor: [({ cursor }) => this.#say(cursor.idx ?? undefined)] },
    };
    this.#plot = new Plot(options, this.#data(), this.#canvas);
  }

  #data(): uPlot.AlignedData {
    const { times, columns } = this.#points;
    const series = this.#spec.series.map(({ column }) => {
      if (typeof column === "number") return [...(columns[column] ?? times.map(() => null))];
      const value = column() ?? null;
      return times.map(() => value);
    });
    return [[...times], ...series] as uPlot.AlignedData;
  }

  /** Writes the values at that place, or the last values. */
  #say(place: number | undefined): void {
    const { times, columns } = this.#points;
    const at = place ?? times.length - 1;
    for (const [i, { label, column }] of this.#spec.series.entries()) {
      const shown = this.#values[i];
      if (shown === undefined) continue;
      const value = typeof column === "number" ? (columns[column]?.[at] ?? undefined) : column();
      setText(shown, `${this.#values.length > 1 ? `${label} ` : ""}${this.#spec.format(value)}`);
    }
    if (place !== undefined) return;
    const values = this.#values.map(({ textContent }) => textContent).join(", ");
    setAttribute(this.#canvas, "aria-label", `${this.#spec.title}: ${values} now`);
  }

  #color(property: string): string {
    const probe = el("span");
    probe.style.color = `var(${property})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }
}
