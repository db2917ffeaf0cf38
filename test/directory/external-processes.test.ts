import { expect, test } from "vitest";
import { ExternalProcesses } from "#runtime/directory/external-processes.js";

type Process = Parameters<ExternalProcesses["add"]>[1];

const at = (id: string): Process => ({ id }) as Process;

test("an external process is found by its uid and by its path until it is removed, once", () => {
  const processes = new ExternalProcesses();
  const probe = at("probe-1");
  const remove = processes.add(7, probe);
  expect([processes.byUid(7), processes.at("probe-1")]).toEqual([probe, probe]);
  expect([remove(), remove()]).toEqual([true, false]);
  expect([processes.byUid(7), processes.at("probe-1")]).toEqual([undefined, undefined]);
});

test("of external processes with one path the first is meant, and after its removal the next", () => {
  const processes = new ExternalProcesses();
  const [first, second] = [at("probe"), at("probe")];
  const remove = processes.add(1, first);
  processes.add(2, second);
  expect(processes.at("probe")).toBe(first);
  remove();
  expect(processes.at("probe")).toBe(second);
  expect(processes.byUid(2)).toBe(second);
});
