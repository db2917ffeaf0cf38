/** What is used of the package `threads`, whose types cannot be reached through its exports. */
declare module "threads" {
  export class Worker {
    constructor(path: string);
    setMaxListeners(count: number): this;
  }
  export function spawn<T>(worker: Worker): Promise<T>;
  export const Thread: { terminate(thread: unknown): Promise<void> };
  /** In the place of what is to change hands. */
  export function Transfer<T extends ArrayBuffer>(transferable: T): T;
}

declare module "threads/worker" {
  export function Transfer<T extends ArrayBuffer>(transferable: T): T;
  export function expose(functions: Record<string, (...args: never[]) => unknown>): void;
}
