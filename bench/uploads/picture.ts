/** One good file: when it was sent, in seconds, and how long its answer took. */
export interface Sample {
  readonly at: number;
  readonly ms: number;
  readonly status: number;
}

/** A bad file, and what became of it. */
export interface Mark {
  readonly at: number;
  readonly name: string;
  status: number;
  tookS: number;
}

const [WIDTH, HEIGHT, LEFT, TOP] = [760, 220, 76, 46];
/** Of the axis; a tenfold each. */
const DECADES = [1, 10, 100, 1_000, 10_000];

/** Median and 99th percentile of each second's good files, on a logarithmic axis, with a line where each bad file came. */
export function draw(samples: readonly Sample[], marks: readonly Mark[], seconds: number): string {
  const x = (at: number): number => LEFT + (WIDTH * at) / seconds;
  const y = (ms: number): number => TOP + HEIGHT * (1 - Math.log10(Math.max(1, ms)) / Math.log10(DECADES.at(-1) ?? 1));
  const line = (q: number, color: string): string => {
    const points = Array.from({ length: seconds }, (_, second) => {
      const took = samples.filter(({ at }) => Math.floor(at) === second).map(({ ms }) => ms);
      took.sort((a, b) => a - b);
      return took.length === 0
        ? []
        : [`${x(second + 0.5).toFixed(1)},${y(took[Math.floor(took.length * q)]).toFixed(1)}`];
    });
    return `<polyline points="${points.flat().join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>`;
  };
  const text = (at: number, height: number, words: string, anchor = "start"): string =>
    `<text x="${at.toFixed(1)}" y="${height.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
  const axis = DECADES.map(
    (ms) =>
      `<line x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y(ms)}" y2="${y(ms)}" stroke="#ddd"/>${text(LEFT - 8, y(ms) + 4, `${ms.toLocaleString("en").replace(",", " ")} ms`, "end")}`,
  );
  const bad = marks.map(
    ({ at, name, status, tookS }) =>
      `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${TOP}" y2="${TOP + HEIGHT}" stroke="#b00020" stroke-dasharray="4 3"/>` +
      text(x(at) + 5, TOP + 14, `${name}: ${status} after ${tookS.toFixed(1)} s`),
  );
  const times = Array.from({ length: seconds / 4 + 1 }, (_, i) =>
    text(x(i * 4), TOP + HEIGHT + 18, `${i * 4} s`, "middle"),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 40} ${TOP + HEIGHT + 30}" font-family="system-ui, sans-serif" font-size="12">
<title>How long good uploads take while bad ones come in</title>
<rect width="100%" height="100%" fill="#fff"/>
${text(LEFT, 20, "100 good uploads a second, and three bad ones: how long the good ones take, by second")}
<g fill="#2f6fdb">${text(LEFT, 36, "median")}</g><g fill="#b36b00">${text(LEFT + 60, 36, "99th percentile")}</g>
${axis.join("\n")}
${bad.join("\n")}
${times.join("\n")}
${line(0.5, "#2f6fdb")}
${line(0.99, "#b36b00")}
</svg>
`;
}
