// Stops an actor of its own at a breakpoint, as a client of the inspector does, and prints what that finds.
import { Session } from "node:inspector";
import { startSystem } from "@mini-otp/runtime";

type Message = { method?: string; params?: any; result?: any };

const system = await startSystem({ logger: false });
const adder = await system.startChild({ id: "adder", actor: new URL("../fixtures/adder.actor.js", import.meta.url) });
const other = await system.startChild({ id: "other", actor: new URL("../fixtures/adder.actor.js", import.meta.url) });

const session = new Session();
session.connect();
let lastId = 0;
const tell = (sessionId: string, method: string, params: object): void => {
  const message = JSON.stringify({ id: ++lastId, method, params });
  session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
};
const titles: string[] = [];
const ready = new Promise<void>((resolve) => {
  session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
    titles.push(workerInfo.title);
    if (!workerInfo.title.endsWith("root/adder")) return;
    tell(sessionId, "Debugger.enable", {});
    // The line of the handler's return, in the file that is compiled from the actor.
    tell(sessionId, "Debugger.setBreakpointByUrl", { urlRegex: ".*adder\\.actor\\.js", lineNumber: 5 });
    tell(sessionId, "Runtime.evaluate", { expression: "'ready'" });
    session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
      if ((JSON.parse(params.message) as Message).result?.result?.value === "ready") resolve();
    });
  });
});
const stopped = new Promise<string>((resolve) => {
  session.on("NodeWorker.receivedMessageFromWorker", async ({ params: { sessionId, message } }) => {
    const { method, params, result } = JSON.parse(message) as Message;
    if (method === "Debugger.paused") {
      const [frame] = params.callFrames;
      // The others go on while it stands.
      const meanwhile = await other.call("add", 20, 22);
      const expression = `"${frame.functionName} " + sum + " ${meanwhile}"`;
      tell(sessionId, "Debugger.evaluateOnCallFrame", { callFrameId: frame.callFrameId, expression });
    } else if (typeof result?.result?.value === "string" && result.result.value !== "ready") {
      tell(sessionId, "Debugger.resume", {});
      resolve(result.result.value);
    }
  });
});
session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
await ready;
const reply = adder.call("add", 1, 2);
console.log(JSON.stringify({ titles: titles.sort(), stopped: await stopped, reply: await reply }));
session.post("NodeWorker.disable");
session.disconnect();
await system.stop();
