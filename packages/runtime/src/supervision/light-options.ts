/** Options of an actor that belong to a thread, which light actors share. */
export const OF_THREADS = [
  "isolation",
  "heapCapMb",
  "offHeapCapMb",
  "env",
  "execArgv",
  "permissions",
  "console",
] as const;

/** What only an actor with a thread of its own has, and why. */
export const OF_OWN_THREAD = {
  name: "it is found by its id; a name is for few",
  significant: "its supervisor goes on without children",
  backoff: "it is started again in its thread at once, and its budget of restarts bounds how often",
  maxDeliveries: "a message that it handles is on the heap of its thread, and its handler may have changed it",
} as const;

/** The options that light actors do not have. */
export type NotOfLight = (typeof OF_THREADS)[number] | keyof typeof OF_OWN_THREAD;
