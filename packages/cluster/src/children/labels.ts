/** Whether a node with these labels has all that are asked for. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  on: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(on).every(([label, value]) => labels[label] === value);
}
