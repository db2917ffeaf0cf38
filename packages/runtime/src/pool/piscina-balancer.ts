import { Piscina } from "piscina";
import type { Recycling } from "./recycling.js";

const queueOptionsSymbol: unique symbol = Piscina.queueOptionsSymbol as never;

/** A task for one thread. */
export interface Addressed {
  readonly [queueOptionsSymbol]?: { readonly threadId: number } | null;
}

export const addressTo = (threadId: number): Addressed => ({ [queueOptionsSymbol]: { threadId } });

// Piscina exports no name for it.
type Balancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>["loadBalancer"]>;

/** Piscina's own choice, the thread that is the least busy, without the one that leaves. */
export function balancerFor(recycling: Recycling, tasksPerThread: number): Balancer {
  return (task, workers) => {
    const wanted = (task as Addressed)[queueOptionsSymbol]?.threadId;
    let chosen: (typeof workers)[number] | null = null;
    let least = task.isAbortable ? 1 : tasksPerThread;
    for (const worker of workers) {
      const { id, currentUsage } = worker;
      recycling.shown(id, worker);
      if (wanted === undefined ? id === recycling.leavingId : id !== wanted) continue;
      if (currentUsage >= least) continue;
      chosen = worker;
      least = currentUsage;
    }
    return chosen;
  };
}
