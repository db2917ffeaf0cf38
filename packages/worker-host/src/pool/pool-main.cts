// What piscina loads in a pool's threads. CommonJS, for it requires what it can: Node 20 dies of a thread that is
// ended while it requires an ES module ("IsGraphAsync must be used on an instantiated module").
const tasks = import("./pool-tasks.js");

export = async (message: unknown): Promise<unknown> => (await tasks).runTask(message as never);
