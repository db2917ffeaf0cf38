import type { AtlasSummary } from "./atlas.js";
import { EXIT_KIND_OF, type Fault } from "./fault-plan.js";

/** What a run has to say. Without a comparison, for `--single`, there are no restarts and nothing to be identical to. */
export interface Report {
  readonly dir: string;
  readonly summary: AtlasSummary;
  readonly seconds: number;
  readonly singleSeconds: number;
  readonly parsers: number | null;
  readonly plannedFaults: readonly Fault[];
  readonly restarts: Readonly<Record<string, number>>;
  readonly identical: boolean | null;
}

export function jsonReport(report: Report): string {
  const { summary, seconds, singleSeconds, restarts, identical } = report;
  return JSON.stringify({
    dir: report.dir,
    files: summary.files,
    bytes: summary.bytes,
    seconds: round(seconds, 3),
    singleSeconds: round(singleSeconds, 3),
    speedUp: round(singleSeconds / seconds, 2),
    mbPerSecond: round(summary.bytes / 1e6 / seconds, 2),
    parsers: report.parsers,
    faults: Object.fromEntries(report.plannedFaults.map((f) => [f, happened(f, restarts)])),
    restarts,
    parseErrors: summary.parseErrors,
    unreadable: summary.unreadable,
    imports: summary.imports,
    exports: summary.exports,
    distinctIdentifiers: summary.distinctIdentifiers,
    topPackages: summary.topPackages,
    topBuiltins: summary.topBuiltins,
    topIdentifiers: summary.topIdentifiers,
    digest: summary.digest,
    identical,
  });
}

export function textReport(report: Report): string {
  const { summary, seconds, singleSeconds, restarts, identical } = report;
  const megabytes = summary.bytes / 1e6;
  const rows: [string, string][] = [
    ["files", `${summary.files}, ${megabytes.toFixed(1)} MB`],
    ["not parsed", `${summary.parseErrors} with syntax errors, ${summary.unreadable} entries unreadable`],
    ["found", `${summary.imports} imports, ${summary.exports} exports, ${summary.distinctIdentifiers} identifiers`],
    ["time", `${seconds.toFixed(2)} s, ${(megabytes / seconds).toFixed(1)} MB/s`],
  ];
  if (report.parsers !== null) {
    rows.push(
      ["one thread", `${singleSeconds.toFixed(2)} s`],
      ["speed-up", `${(singleSeconds / seconds).toFixed(2)} with ${report.parsers} parsers`],
      ["faults", faultsText(report)],
      ["restarts", countsText(Object.entries(restarts)) || "none"],
    );
  }
  rows.push(
    ["packages", countsText(summary.topPackages) || "none"],
    ["builtins", countsText(summary.topBuiltins) || "none"],
    ["identifiers", countsText(summary.topIdentifiers) || "none"],
    ["digest", `sha256 ${summary.digest}`],
  );
  if (identical !== null) rows.push(["identical", identical ? "yes" : "NO"]);
  return rows.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`).join("");
}

function faultsText({ plannedFaults, restarts }: Report): string {
  if (plannedFaults.length === 0) return "none injected";
  return plannedFaults.map((fault) => `${fault}${happened(fault, restarts) ? "" : " (did not happen)"}`).join(", ");
}

function happened(fault: Fault, restarts: Report["restarts"]): boolean {
  return (restarts[EXIT_KIND_OF[fault]] ?? 0) > 0;
}

function countsText(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
