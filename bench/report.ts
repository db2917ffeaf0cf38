import { titleOf } from "./contender.js";
import type { BenchResult, ContenderResult, Plan } from "./harness.js";
import type { Spread } from "./statistics.js";

/** One bench as an aligned table. */
export function tableOf(result: BenchResult, plan: Plan): string {
  const isRate = result.measures === "rate";
  const unit = isRate ? `${result.units}/s` : "µs each";
  const header = ["", "median", "min – max", ...(isRate ? [] : ["p99"]), `times ${result.baseline}`, "min – max", ""];
  const rows = result.contenders.map((contender) => row(contender, result));
  const repeated = result.repeated === 0 ? "" : `, ${result.repeated} more were disturbed and repeated`;
  const lines = [`${titleOf(result)}   [${unit}; ${plan.rounds} rounds of ${plan.roundMs} ms${repeated}]`];
  lines.push(...align([header, ...rows]).map((line) => `  ${line}`));
  for (const { name, reason } of result.absent) lines.push(`  ${name}: ${reason}`);
  for (const { name, reason } of result.failed) lines.push(`  ${name}: FAILED: ${reason}`);
  return lines.join("\n");
}

/** The one number of the project. */
export function headlineOf(result: BenchResult): string | undefined {
  const find = (name: string): ContenderResult | undefined => result.contenders.find((one) => one.name === name);
  const ours = find("mini-otp");
  const baseline = find(result.baseline);
  if (ours === undefined || baseline === undefined) return undefined;
  const { median, min, max } = ours.ratio;
  return `HEADLINE  ${result.work}, actor to actor, one way: mini-otp ${amount(ours.value.median)}/s, ${baseline.name} ${amount(baseline.value.median)}/s: ${median.toFixed(2)} times (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

function row(contender: ContenderResult, result: BenchResult): string[] {
  const { name, value, ratio, p99Us, how } = contender;
  const isBaseline = name === result.baseline;
  return [
    name,
    amount(value.median),
    range(value, amount),
    ...(p99Us === undefined ? [] : [amount(p99Us)]),
    isBaseline ? "baseline" : times(ratio.median),
    isBaseline ? "" : range(ratio, times),
    how ?? "",
  ];
}

function range({ min, max }: Spread, format: (value: number) => string): string {
  return `${format(min)} – ${format(max)}`;
}

function times(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : "";
}

/** A bench is not precise to four digits. */
function amount(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (value < 100) return value.toFixed(2);
  return Math.round(value).toLocaleString("en").replaceAll(",", " ");
}

/** The first and the last column to the left, numbers to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 || column === cells.length - 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join("  ")
      .trimEnd(),
  );
}
