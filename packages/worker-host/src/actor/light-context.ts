/** What `ctx.spawn` is told of a light actor. What it leaves out is as in the supervisor's template. */
export interface SpawnSpec<Args = any> {
  /** Unique under the supervisor. Default: one that is free. */
  readonly id?: string | undefined;
  readonly args?: Args | undefined;
}

/** What `ctx.on` listens to: an `EventEmitter`. */
export interface Emitter {
  on(event: string | symbol, listener: (...args: any[]) => void): unknown;
  off(event: string | symbol, listener: (...args: any[]) => void): unknown;
}
