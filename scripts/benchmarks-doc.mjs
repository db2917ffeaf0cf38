// Writes docs/benchmarks.md, its picture and the README's table from bench/results/baseline.json, the results of record.
// Usage: node scripts/benchmarks-doc.mjs && pnpm format, after `pnpm bench --record`.
import { readFileSync, writeFileSync } from "node:fs";
import { replaceBlock } from "./written-pages.mjs";

const file = (path) => new URL(`../${path}`, import.meta.url);
const { startedAt, machine, plan, othersShare, results } = JSON.parse(
  readFileSync(file("bench/results/baseline.json"), "utf8"),
);

const number = (value) =>
  value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M`
    : value >= 1e4
      ? `${Math.round(value / 1e3)} k`
      : value >= 100
        ? String(Math.round(value))
        : value.toFixed(2);
const spread = ({ median, min, max }) => `${number(median)} (${number(min)} – ${number(max)})`;

function tableOf({ topology, work, measures, units, baseline, contenders, absent, failed }) {
  const isRate = measures === "rate";
  const unit = isRate ? `${units}/s` : "µs each";
  const head = ["", `${unit}, median (min – max)`, ...(isRate ? [] : ["p99"]), `times ${baseline}`];
  const rows = contenders.map(({ name, value, p99Us, ratio }) => [
    name,
    spread(value),
    ...(isRate ? [] : [number(p99Us)]),
    name === baseline ? "baseline" : spread(ratio),
  ]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const left = [...absent, ...failed].map(({ name, reason }) => `- ${name}: ${reason}`);
  return [
    `### ${topology}: ${work}`,
    "",
    line(head),
    line(head.map((_, i) => (i === 0 ? "---" : "--:"))),
    ...rows.map(line),
    ...(left.length === 0 ? [] : ["", ...left]),
    "",
  ].join("\n");
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** mini-otp beside the baseline of each bench: more is better. */
function picture() {
  const bars = results.flatMap(({ topology, work, baseline, contenders }) => {
    const ours = contenders.find(({ name }) => name.startsWith("mini-otp") && name !== baseline);
    return ours === undefined ? [] : [{ label: `${topology}: ${work}`, ...ours.ratio }];
  });
  const most = Math.max(1.5, ...bars.map(({ max }) => max));
  const [left, width, row, top] = [440, 380, 26, 40];
  const x = (ratio) => left + (width * ratio) / most;
  const height = top + bars.length * row + 14;
  const body = bars.map(({ label, median, min, max }, i) => {
    const y = top + i * row;
    return [
      `<text x="${left - 10}" y="${y + 13}" text-anchor="end">${escaped(label.length > 66 ? `${label.slice(0, 65)}…` : label)}</text>`,
      `<rect x="${left}" y="${y}" width="${(x(median) - left).toFixed(1)}" height="16" fill="${median >= 1 ? "#2f6fdb" : "#b36b00"}"/>`,
      `<line x1="${x(min).toFixed(1)}" x2="${x(max).toFixed(1)}" y1="${y + 8}" y2="${y + 8}" stroke="#888"/>`,
      `<text x="${(x(max) + 6).toFixed(1)}" y="${y + 13}">${median.toFixed(2)}</text>`,
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 60} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>mini-otp beside the baseline of each bench</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="18">times the baseline of each bench (more is better; the line is min – max)</text>
<line x1="${x(1).toFixed(1)}" x2="${x(1).toFixed(1)}" y1="26" y2="${height - 8}" stroke="#444" stroke-dasharray="3 3"/>
${body.join("\n")}
</svg>
`;
}

/** What the README shows: a rate, two latencies, and the one that is slower than the baseline. */
const IN_README = [
  "one-to-one-throughput: small object",
  "ping-pong-latency: small object there, number back, both hot",
  "ping-pong-latency: small object there, number back, parked for 2 ms before",
  "main-to-actor: pipelined calls, 256 under way",
];

/** mini-otp's and the baseline's row of these benches, for the README. */
function summary() {
  const shown = IN_README.map((title) => results.find(({ topology, work }) => `${topology}: ${work}` === title));
  const rows = shown.flatMap(({ topology, work, measures, units, baseline, contenders }) => {
    const ours = contenders.find(({ name }) => name.startsWith("mini-otp") && name !== baseline);
    const other = contenders.find(({ name }) => name === baseline);
    if (ours === undefined || other === undefined) return [];
    const unit = measures === "rate" ? `${units}/s` : "µs each";
    const cells = [
      `${topology}: ${work}`,
      unit,
      number(ours.value.median),
      `${number(other.value.median)}${baseline === "postMessage" ? "" : ` (${baseline})`}`,
      spread(ours.ratio),
    ];
    return [`| ${cells.join(" | ")} |`];
  });
  return [
    "| work | | mini-otp | postMessage | times as fast (min – max) |",
    "| --- | --- | --: | --: | --: |",
    ...rows,
  ].join("\n");
}

const { cpu, cores, memoryGb, platform, node } = machine;
const known = [cpu, cores && `${cores} cores`, memoryGb && `${memoryGb} GB`, platform, node && `Node ${node}`];
const document = `# Benchmarks

Made by \`node scripts/benchmarks-doc.mjs\` from \`bench/results/baseline.json\`, which \`pnpm bench --record\` writes. How the
rounds alternate, what each contender is and how to read the tables is in [bench/README.md](../bench/README.md).

${known.filter(Boolean).join(", ")}; ${startedAt.slice(0, 10)}; ${plan.rounds} rounds of ${plan.roundMs} ms; other processes took ${(othersShare * 100).toFixed(0)} % of
the cores meanwhile.

![mini-otp beside the baseline of each bench](images/benchmarks.svg)

${results.map(tableOf).join("\n")}`;

writeFileSync(file("docs/benchmarks.md"), document);
writeFileSync(file("docs/images/benchmarks.svg"), picture());
const readme = readFileSync(file("README.md"), "utf8");
writeFileSync(file("README.md"), replaceBlock(readme, "benchmarks", summary()));
