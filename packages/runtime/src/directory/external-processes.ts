import type { Process } from "../signals/process-signals.js";

/** Processes that have a slot but no supervisor: the testing kit's probes. */
export class ExternalProcesses {
  readonly #byUid = new Map<number, Process>();
  /** Several may share a path: `at` returns the first. */
  readonly #byPath = new Map<string, Set<Process>>();

  /** Returns the function that removes it, which returns whether this call did. */
  add(uid: number, process: Process): () => boolean {
    const { id } = process;
    this.#byUid.set(uid, process);
    const there = this.#byPath.get(id) ?? new Set();
    this.#byPath.set(id, there.add(process));
    return () => {
      if (!this.#byUid.delete(uid)) return false;
      there.delete(process);
      if (there.size === 0) this.#byPath.delete(id);
      return true;
    };
  }

  byUid(uid: number): Process | undefined {
    return this.#byUid.get(uid);
  }

  at(path: string): Process | undefined {
    const [first] = this.#byPath.get(path) ?? [];
    return first;
  }
}
