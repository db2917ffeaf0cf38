/** What goes on with a saved change of its module. */
export interface Reloadable {
  readonly id: string;
  /** Rejects when all that runs the module goes on with the code that it has. */
  reload(): Promise<Reloaded>;
}

export interface Reloaded {
  readonly upgraded: number;
  /** Actors that keep the code they had; the error is the first one's. */
  readonly kept: number;
  readonly error?: unknown;
}
