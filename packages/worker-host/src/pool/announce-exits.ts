import { flushStreams } from "./stream-task.js";

/**
 * Main hears of an exit before the user's exit handlers run, because one that never returns keeps the thread. It hears
 * of `process.exit` at the call: a handler may be put in front of the one here. Before that it gets what streams have
 * taken. `stays` is called when the exit was refused. Returns what exits.
 */
export function announceExits(leaves: (code: number) => void, stays: () => void): (code: number) => never {
  const leaving = (code: unknown): void => {
    flushStreams();
    leaves(Number(code ?? process.exitCode ?? 0));
  };
  process.on("exit", leaving);
  const exit = process.exit.bind(process);
  const announced = (code?: number): never => {
    leaving(code);
    try {
      return exit(code);
    } catch (error) {
      // Node refuses the code, or an exit handler has thrown: the thread lives on.
      stays();
      throw error;
    }
  };
  process.exit = announced as typeof process.exit;
  return announced;
}
