// The file that piscina loads in a pool's threads. It is CommonJS, because piscina tries `require` first, and Node 20
// aborts when a thread is ended while it requires an ES module ("IsGraphAsync must be used on an instantiated module").
const tasks = import("./pool-tasks.js");

export = async (message: unknown): Promise<unknown> => (await tasks).runTask(message as never);
