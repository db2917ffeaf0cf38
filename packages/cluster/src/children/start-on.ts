import type { ActorRef, ResourceContext } from "@mini-otp/runtime";
import { systemOf } from "@mini-otp/runtime/guests";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { hasLabels } from "./labels.js";
import type { RemoteSpec } from "./remote-spec.js";
import { reportEnd } from "./report-end.js";

export interface Started {
  readonly ref: ActorRef;
  /** Ends it there, in order. */
  stop(): Promise<void>;
}

export interface StartHost {
  nodes(): readonly {
    readonly node: string;
    readonly state: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  nodeRef(node: string): ActorRef | undefined;
  monitor(ref: ActorRef, listener: (reason: ExitReason) => void): () => void;
}

/** Of each system, of which a process may have several. */
const turns = new WeakMap<object, number>();

/** Starts what another node offers, and tells its supervisor here of its end. Rejects as the other node does. */
export async function startOn(host: StartHost, spec: RemoteSpec, context: ResourceContext): Promise<Started> {
  const node = chosen(host, spec, systemOf(context) ?? host);
  const control = host.nodeRef(node);
  if (control === undefined) throw unreachable(spec, node);
  const asking = control.with({ timeoutMs: Infinity, signal: context.signal });
  const { id, ref } = (await asking.call("start", spec.offer, spec.args)) as { id: string; ref: ActorRef };
  const end = host.monitor(ref, (reason) => reportEnd(context, ref.id, reason));
  return {
    ref,
    stop: async () => {
      end();
      // With the connection it ends by itself.
      await host
        .nodeRef(node)
        ?.with({ timeoutMs: Infinity })
        .call("stop", id)
        .catch(() => {});
    },
  };
}

function chosen(host: StartHost, spec: RemoteSpec, system: object): string {
  const { on } = spec;
  if ("node" in on) return on.node;
  const fitting = host.nodes().filter(({ state, labels }) => state === "up" && hasLabels(labels, on.anyOf));
  if (fitting.length === 0) {
    const wanted = Object.entries(on.anyOf).map(([label, value]) => `${label}=${value}`);
    throw unreachable(spec, wanted.join(", "));
  }
  const turn = turns.get(system) ?? 0;
  turns.set(system, turn + 1);
  return fitting[turn % fitting.length].node;
}

function unreachable({ id, offer }: RemoteSpec, node: string): ActorError {
  const message = `remote ${id}: there is no connection to a node ${node} that could start ${offer}`;
  return new ActorError("ERR_NO_CONNECTION", message, { id, node });
}
