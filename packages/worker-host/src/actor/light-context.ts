/** What `ctx.spawn` is told of a light actor. What it leaves out is as in the supervisor's template. */
export interface SpawnSpec<Args = any> {
  /** Unique under the supervisor. Default: one that is free. */
  readonly id?: string | undefined;
  readonly args?: Args | undefined;
  /** When it is started again. What is handed over to one, it has in its one life only. */
  readonly restart?: "permanent" | "transient" | "temporary" | undefined;
}

/** What `ctx.on` listens to: an `EventEmitter`. */
export interface Emitter {
  on(event: string | symbol, listener: (...args: any[]) => void): unknown;
  off(event: string | symbol, listener: (...args: any[]) => void): unknown;
}
