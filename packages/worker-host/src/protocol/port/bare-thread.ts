/**
 * The heap of a thread that runs an empty actor, after a collection: 5.5 MiB on Node 20, 7.4 on Node 24. What runs in it
 * may use its cap on top of this.
 */
export const BARE_THREAD_MB = 8;
