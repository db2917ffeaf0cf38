import type { Child, OnExit } from "./child.js";
import type { FullChildSpec, FullDynamicSupervisorSpec, FullSupervisorSpec } from "./child-spec.js";
import type { Clock } from "./clock.js";
import { createDynamicSupervisor } from "./dynamic-supervisor.js";
import type { RestartBudget, SupervisionReport } from "./report.js";
import type { TreeEnvironment } from "./supervision-loop.js";
import { createSupervisor } from "./supervisor.js";
import type { SupervisorProcess } from "./supervisor-process.js";

/** The spec of a child that is not a supervisor. */
export type LeafSpec = Exclude<FullChildSpec, FullSupervisorSpec | FullDynamicSupervisorSpec>;

/** What the supervision tree needs of the system. Called synchronously; only `createChild` may throw. */
export interface SupervisionEnvironment {
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of restart delays. */
  random(): number;
  /**
   * Makes the child; nothing of it runs before `start`. `tree` is for a child that has children of its own. An
   * ActorError that this throws reaches the caller of `startChild`.
   */
  createChild(spec: LeafSpec, path: string, onExit: OnExit, tree: TreeEnvironment): Child;
  /** May administer the tree: its requests are carried out after the current event. */
  report(report: SupervisionReport, budget?: RestartBudget): void;
  /** A step for `id` threw, which must not happen; the supervisor goes on. */
  failed(id: string, error: unknown): void;
}

/**
 * The root of a tree; `spec.id` is its path. It is a child of the system: the system calls `start` once, and `stop`
 * when it stops. When `onExit` is called, the root has given up and everything under it has ended.
 */
export function createRootSupervisor(
  spec: FullSupervisorSpec,
  environment: SupervisionEnvironment,
  onExit: OnExit,
): SupervisorProcess {
  const tree: TreeEnvironment = {
    clock: environment.clock,
    random: () => environment.random(),
    report: (report, budget) => environment.report(report, budget),
    failed: (id, error) => environment.failed(id, error),
    isStopping: () => root.isStopping,
    createChild(child, path, childOnExit) {
      switch (child.kind) {
        case "supervisor":
          return createSupervisor(child, path, tree, childOnExit);
        case "dynamic_supervisor":
          if (child.threads !== undefined) return environment.createChild(child, path, childOnExit, tree);
          return createDynamicSupervisor(child, path, tree, childOnExit);
        default:
          return environment.createChild(child, path, childOnExit, tree);
      }
    },
  };
  const root = createSupervisor(spec, spec.id, tree, onExit);
  return root;
}
