import { readFileSync } from "node:fs";
import { labelsOf, METRICS } from "@mini-otp/metrics";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../../docs/observability.md", import.meta.url), "utf8");

test("the documentation's table of metrics is the one that the code has", () => {
  const rows = page
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
    .filter(([, name]) => METRICS.some((metric) => metric.name === name))
    .map(([, name, type, unit, labels, meaning]) => ({ name, type, unit, labels, meaning }));
  expect(rows).toEqual(
    METRICS.map((metric) => ({
      name: metric.name,
      type: metric.type,
      unit: metric.unit,
      labels: labelsOf(metric).join(", "),
      meaning: metric.help,
    })),
  );
});
