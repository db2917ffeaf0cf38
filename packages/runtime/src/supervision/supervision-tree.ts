import type { Child, OnExit } from "./child.js";
import type { FullChildSpec, FullDynamicSupervisorSpec, FullSupervisorSpec } from "./child-spec.js";
import type { Clock } from "./clock.js";
import { createDynamicSupervisor } from "./dynamic-supervisor.js";
import type { SupervisionReport } from "./report.js";
import type { TreeEnvironment } from "./supervision-loop.js";
import { createSupervisor } from "./supervisor.js";
import type { SupervisorProcess } from "./supervisor-process.js";

/** What is no supervisor. */
export type LeafSpec = Exclude<FullChildSpec, FullSupervisorSpec | FullDynamicSupervisorSpec>;

/** What the system does for its supervision tree. Called synchronously; nothing here may throw but `createChild`. */
export interface SupervisionEnvironment {
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of restart delays. */
  random(): number;
  /** Makes the child; nothing of it runs before `start`. `tree` is for one with children of its own. An ActorError thrown here reaches `startChild`'s caller. */
  createChild(spec: LeafSpec, path: string, onExit: OnExit, tree: TreeEnvironment): Child;
  /** May administer the tree: what it asks for is done after the event that is being reported. */
  report(report: SupervisionReport): void;
  /** Something threw that must not, while `id` was seen to: its supervisor goes on. */
  failed(id: string, error: unknown): void;
}

/**
 * The root of a tree; `spec.id` is its path. It is a child like any other, of the system: `start` it once, `stop` it
 * with the system, and when `onExit` is called it has given up and everything under it has ended.
 */
export function createRootSupervisor(
  spec: FullSupervisorSpec,
  environment: SupervisionEnvironment,
  onExit: OnExit,
): SupervisorProcess {
  const tree: TreeEnvironment = {
    clock: environment.clock,
    random: () => environment.random(),
    report: (report) => environment.report(report),
    failed: (id, error) => environment.failed(id, error),
    isStopping: () => root.isStopping,
    createChild(child, path, childOnExit) {
      switch (child.kind) {
        case "supervisor":
          return createSupervisor(child, path, tree, childOnExit);
        case "dynamic_supervisor":
          return createDynamicSupervisor(child, path, tree, childOnExit);
        default:
          return environment.createChild(child, path, childOnExit, tree);
      }
    },
  };
  const root = createSupervisor(spec, spec.id, tree, onExit);
  return root;
}
