import type { OnExit } from "./child.js";
import type { ChildSpec, FullSupervisorSpec } from "./child-spec.js";
import { normaliseSpec } from "./normalise-spec.js";
import type { TreeEnvironment } from "./supervision-loop.js";
import { SupervisorProcess } from "./supervisor-process.js";

/**
 * A supervisor with children in start order. They start from the first to the last, each after the one before it has
 * started, and stop from the last to the first, one after the other.
 *
 * @see https://www.erlang.org/doc/apps/stdlib/supervisor.html
 */
export function createSupervisor(
  spec: FullSupervisorSpec,
  path: string,
  environment: TreeEnvironment,
  onExit: OnExit,
): SupervisorProcess {
  const { strategy, intensity, periodMs, autoShutdown, children } = spec;
  const flags = { strategy, intensity, periodMs, autoShutdown, dynamic: false, maxChildren: Infinity };
  const admit = (child: ChildSpec) => normaliseSpec(child, path, autoShutdown);
  return new SupervisorProcess({ path, flags, children, admit }, environment, onExit);
}
