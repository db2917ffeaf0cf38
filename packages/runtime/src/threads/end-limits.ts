/*
 * How long main waits for each step of a thread's end, for actors' threads and for pools'.
 */

/**
 * A kill waits at most this long for the answer to a question of the inspector's. When a thread is killed while it
 * answers inside `Atomics.wait`, V8 ends the process (Node 20: "callback_result !=
 * AtomicsWaitEvent::kTerminatedExecution"). An answer takes microseconds, or as long as a collection of garbage. A
 * thread that cannot answer is in native code, where a kill does not reach it either. Shorter than ZOMBIE_MS.
 */
export const ANSWER_MS = 900;
/** A thread that has not exited this long after its kill is given up. */
export const ZOMBIE_MS = 1000;
/**
 * A thread that has announced its exit is killed after this long; its exit handlers run meanwhile. It needs a limit,
 * because exit handlers may never return, and an inspector request that interrupts the exit cancels it.
 */
export const EXITING_MS = 2000;
