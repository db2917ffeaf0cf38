import { availableParallelism } from "node:os";
import { isActorError } from "@mini-otp/worker-host/protocol/errors";
import type { Reloadable, Reloaded } from "../threads/reloadable.js";

/** A change of one module, and what became of the actors that run it. */
export interface ReloadReport extends Reloaded {
  /** The file that was changed. */
  readonly file: string;
  readonly tookMs: number;
}

interface Batch {
  readonly file: string;
  readonly beganAt: number;
  open: number;
  upgraded: number;
  kept: number;
  error: unknown;
  /** The module itself does not load: no actor of it need try. */
  isBroken: boolean;
}

/** New threads that load at once: each keeps a core busy for a while. One that waits for a handler holds a place, too. */
const MOST_AT_ONCE = Math.max(8, 2 * availableParallelism());
/** How long after an upgrade of the user's own was in the way. */
const AGAIN_MS = 100;

/** Upgrades actors, each one at a time, to what their modules' files hold now. Reports once for each change. */
export class Reloads {
  readonly #report: (report: ReloadReport) => void;
  readonly #waiting = new Map<Reloadable, Batch>();
  readonly #running = new Set<Reloadable>();
  /** Changed while they did not run: they are upgraded when they do. */
  readonly #missed = new WeakMap<Reloadable, string>();
  #closed = false;

  constructor(report: (report: ReloadReport) => void) {
    this.#report = report;
  }

  /** A file was changed that the module of these actors is made of. */
  request(file: string, actors: readonly Reloadable[]): void {
    const batch: Batch = {
      file,
      beganAt: performance.now(),
      open: actors.length,
      upgraded: 0,
      kept: 0,
      error: undefined,
      isBroken: false,
    };
    for (const actor of actors) {
      const former = this.#waiting.get(actor);
      // The later change has the earlier one in it.
      if (former !== undefined) this.#settled(former);
      this.#waiting.set(actor, batch);
    }
    this.#next();
  }

  /** The actor's thread has begun, perhaps as a spare that had loaded the module before it was changed. */
  started(actor: Reloadable): void {
    const file = this.#missed.get(actor);
    if (file === undefined) return;
    this.#missed.delete(actor);
    this.request(file, [actor]);
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #next(): void {
    for (const [actor, batch] of this.#waiting) {
      if (this.#running.size >= MOST_AT_ONCE) return;
      if (this.#running.has(actor)) continue;
      this.#waiting.delete(actor);
      this.#running.add(actor);
      void this.#run(actor, batch);
    }
  }

  async #run(actor: Reloadable, batch: Batch): Promise<void> {
    try {
      if (batch.isBroken) batch.kept++;
      else {
        const { upgraded, kept, error } = await actor.reload();
        batch.upgraded += upgraded;
        batch.kept += kept;
        batch.error ??= error;
      }
    } catch (error) {
      this.#failed(actor, batch, error);
    }
    this.#running.delete(actor);
    if (this.#closed) return;
    this.#settled(batch);
    this.#next();
  }

  #failed(actor: Reloadable, batch: Batch, error: unknown): void {
    if (isActorError(error, "ERR_RUNNING")) {
      setTimeout(() => !this.#closed && this.request(batch.file, [actor]), AGAIN_MS).unref();
      return;
    }
    // It has ended, or is being restarted. A restart may take a spare.
    if (isActorError(error, "ERR_NOPROC") || isActorError(error, "ERR_CALL_EXIT")) {
      this.#missed.set(actor, batch.file);
      return;
    }
    batch.kept++;
    batch.error ??= error;
    if (isActorError(error, "ERR_ACTOR_MODULE")) batch.isBroken = true;
  }

  #settled(batch: Batch): void {
    batch.open--;
    if (batch.open > 0 || (batch.upgraded === 0 && batch.kept === 0)) return;
    const { file, upgraded, kept, error } = batch;
    this.#report({ file, upgraded, kept, error, tookMs: performance.now() - batch.beganAt });
  }
}
