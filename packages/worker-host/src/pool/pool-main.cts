// The file that piscina loads in a pool's threads. It is CommonJS, because piscina tries `require` first, and Node 20
// aborts when a thread is ended while it requires an ES module ("IsGraphAsync must be used on an instantiated module").
let runTask: ((message: never) => unknown) | undefined;
const tasks = import("./pool-tasks.js").then((loaded) => {
  ({ runTask } = loaded);
  return loaded;
});

export = (message: unknown): unknown =>
  runTask === undefined ? tasks.then((loaded) => loaded.runTask(message as never)) : runTask(message as never);
