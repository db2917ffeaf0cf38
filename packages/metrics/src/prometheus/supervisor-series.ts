import type { ActorSystem, SupervisorMeters } from "@mini-otp/runtime";
import { OVERFLOW } from "./actor-series.js";
import type { SupervisorView } from "./metric.js";

/**
 * Supervisors with series of their own. The rest have one series, which shows the supervisor that is nearest to its
 * limit.
 */
export class SupervisorSeries {
  readonly #system: ActorSystem;
  readonly #max: number;
  readonly #escalations = new Map<string, number>();
  readonly #takeOff: () => void;
  #overflowEscalations = 0;

  constructor(system: ActorSystem, max: number) {
    this.#system = system;
    this.#max = max;
    this.#takeOff = system.on("supervisor_escalated", ({ supervisor }) => {
      if (this.#escalations.has(supervisor) || this.#escalations.size < max) {
        this.#escalations.set(supervisor, (this.#escalations.get(supervisor) ?? 0) + 1);
      } else {
        this.#overflowEscalations++;
      }
    });
  }

  close(): void {
    this.#takeOff();
  }

  read(): SupervisorView[] {
    const all = this.#system.meters.supervisors();
    const shown: SupervisorView[] = all
      .slice(0, this.#max)
      .map((meters) => ({ ...meters, escalations: this.#escalations.get(meters.id) ?? 0 }));
    const [worst] = all.slice(this.#max).toSorted((a, b) => share(b) - share(a));
    if (worst !== undefined) shown.push({ ...worst, id: OVERFLOW, escalations: this.#overflowEscalations });
    // A supervisor that gave up may be gone because of that. Its escalations stay, so that a later scrape still shows
    // them.
    for (const [id, escalations] of this.#escalations) {
      if (!all.some((supervisor) => supervisor.id === id)) shown.push({ id, restarts: undefined, escalations });
    }
    return shown;
  }
}

function share({ restarts: { count, intensity } }: SupervisorMeters): number {
  return count / Math.max(1, intensity);
}
