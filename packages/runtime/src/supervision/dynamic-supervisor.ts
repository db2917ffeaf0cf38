import type { OnExit } from "./child.js";
import type { ChildSpec, FullDynamicSupervisorSpec } from "./child-spec.js";
import { mergeTemplate, normaliseSpec } from "./normalise-spec.js";
import { readSpec } from "./spec-fields.js";
import type { TreeEnvironment } from "./supervision-loop.js";
import { SupervisorProcess } from "./supervisor-process.js";
import { findChild, type SupervisorState } from "./supervisor-state.js";

/**
 * A supervisor for children that come and go. It starts empty, restarts one_for_one, forgets a child that has ended
 * and is not restarted (`terminateChild` included), and stops all its children at once.
 *
 * @see https://hexdocs.pm/elixir/DynamicSupervisor.html
 */
export function createDynamicSupervisor(
  spec: FullDynamicSupervisorSpec,
  path: string,
  environment: TreeEnvironment,
  onExit: OnExit,
): SupervisorProcess {
  const { intensity, periodMs, maxChildren, template } = spec;
  const flags = {
    strategy: "one_for_one",
    intensity,
    periodMs,
    autoShutdown: "never",
    dynamic: true,
    maxChildren,
  } as const;
  let lastNumber = 0;

  const freeId = (state: SupervisorState): string => {
    let id: string;
    do id = `${template?.id ?? "child"}-${++lastNumber}`;
    while (findChild(state, id) !== undefined);
    return id;
  };
  const admit = (child: ChildSpec, state: SupervisorState) => {
    const read = readSpec(child, path);
    const { id = freeId(state) } = read;
    return normaliseSpec(mergeTemplate(template, { ...read, id }), path);
  };
  return new SupervisorProcess({ path, flags, children: [], admit }, environment, onExit);
}
