import type { AtlasSummary } from "./atlas.js";
import { FAULTS, type Fault } from "./faults.js";

/** The result of a run. With `--single` there is no comparison: no restarts, and nothing to be identical to. */
export interface Report {
  readonly dir: string;
  readonly summary: AtlasSummary;
  readonly seconds: number;
  readonly singleSeconds: number;
  /** The share of the machine's CPU time that other programs took meanwhile. */
  readonly others: number;
  readonly parsers: number | null;
  readonly plannedFaults: readonly Fault[];
  readonly restarts: Readonly<Record<string, number>>;
  readonly identical: boolean | null;
}

/** Less is what a quiet machine does beside a run, and what the kernel's clock ticks are off. */
const LOAD_WORTH_A_WORD = 0.05;

export function jsonReport({ dir, summary, seconds, singleSeconds, ...report }: Report): string {
  return JSON.stringify({
    dir,
    seconds: round(seconds, 3),
    singleSeconds: round(singleSeconds, 3),
    speedUp: round(singleSeconds / seconds, 2),
    cpuShareOfOthers: round(report.others, 3),
    mbPerSecond: round(summary.bytes / 1e6 / seconds, 2),
    parsers: report.parsers,
    faults: Object.fromEntries(report.plannedFaults.map((fault) => [fault, happened(fault, report)])),
    restarts: report.restarts,
    ...summary,
    identical: report.identical,
  });
}

export function textReport(report: Report): string {
  const { summary, seconds, singleSeconds, identical } = report;
  const megabytes = summary.bytes / 1e6;
  const rows: Record<string, string> = {
    files: `${summary.files}, ${megabytes.toFixed(1)} MB`,
    "not parsed": `${summary.parseErrors} with syntax errors, ${summary.unreadable} entries unreadable`,
    found: `${summary.imports} imports, ${summary.exports} exports, ${summary.distinctIdentifiers} identifiers`,
    time: `${seconds.toFixed(2)} s, ${(megabytes / seconds).toFixed(1)} MB/s`,
  };
  if (report.parsers !== null) {
    rows["one thread"] = `${singleSeconds.toFixed(2)} s`;
    rows["speed-up"] =
      `${(singleSeconds / seconds).toFixed(2)} with ${report.parsers} parsers${loadText(report.others)}`;
    rows.faults = faultsText(report);
    rows.restarts = countsText(Object.entries(report.restarts).sort());
  }
  rows.packages = countsText(summary.topPackages);
  rows.builtins = countsText(summary.topBuiltins);
  rows.identifiers = countsText(summary.topIdentifiers);
  rows.digest = `sha256 ${summary.digest}`;
  if (identical !== null) rows.identical = identical ? "yes" : "NO";
  return Object.entries(rows)
    .map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`)
    .join("");
}

function loadText(others: number): string {
  if (others < LOAD_WORTH_A_WORD) return "";
  return `; other programs took ${Math.round(100 * others)} % of the machine's CPU time meanwhile, so it says little`;
}

function faultsText(report: Report): string {
  const shown = report.plannedFaults.map((fault) => `${fault}${happened(fault, report) ? "" : " (did not happen)"}`);
  return shown.join(", ") || "none injected";
}

function happened(fault: Fault, { restarts }: Pick<Report, "restarts">): boolean {
  return (restarts[FAULTS[fault]] ?? 0) > 0;
}

function countsText(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
