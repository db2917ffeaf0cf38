// Sends a server more lines than it can take, watches its memory, then tells it to end. Usage: port, pid, load in ms.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

const [port, pid, loadMs] = process.argv.slice(2).map(Number);
/** Heaps and buffers reach their size first. */
const WARM_UP_MS = 8_000;
const SAMPLE_MS = 250;

interface Client {
  readonly name: string;
  sent: number;
  acknowledged: number;
  /** How often its own TCP stack made it wait. */
  blocked: number;
  error: string;
}

const line = ({ name, sent }: Client): string =>
  `${JSON.stringify({ id: `${name}-${sent}`, text: "x".repeat(200) })}\n`;
const clients: Client[] = [];
const closed: Promise<unknown>[] = [];

function open(name: string): { client: Client; socket: Socket } {
  const client: Client = { name, sent: 0, acknowledged: 0, blocked: 0, error: "" };
  const socket = connect(port, "127.0.0.1").setEncoding("utf8").setNoDelay(true);
  let rest = "";
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() as string;
    for (const each of lines) {
      if (/^\d+$/.test(each)) client.acknowledged = Number(each);
      else client.error = each;
    }
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    client.error = error.code ?? error.message;
  });
  clients.push(client);
  closed.push(new Promise((resolve) => socket.on("close", resolve)));
  return { client, socket };
}

/** Writes as fast as it is let. */
function flood({ client, socket }: ReturnType<typeof open>): void {
  const write = (): void => {
    while (socket.writable) {
      const full = !socket.write(line(client));
      client.sent++;
      if (!full) continue;
      client.blocked++;
      socket.once("drain", write);
      return;
    }
  };
  write();
}

for (const name of ["flood-1", "flood-2", "flood-3"]) flood(open(name));

// Never reads what it is answered.
const slow = open("slow");
slow.socket.pause();
flood(slow);

// Says half a line, and then nothing.
open("half").socket.write('{"id": "half-0", "te');

// One line at a time, like everybody should.
const polite = open("polite");
const next = (): void => {
  if (!polite.socket.writable) return;
  polite.socket.write(line(polite.client));
  polite.client.sent++;
};
polite.socket.on("data", () => polite.client.acknowledged === polite.client.sent && next());
next();

const rssMb: number[] = [];
const sampling = setInterval(() => {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) as RegExpExecArray;
  rssMb.push(Math.round(Number(kib) / 1024));
}, SAMPLE_MS);
await new Promise((resolve) => setTimeout(resolve, loadMs));
clearInterval(sampling);
const acknowledgedBefore = Object.fromEntries(clients.map(({ name, acknowledged }) => [name, acknowledged]));
process.kill(pid, "SIGTERM");

// The slow one learns that the other side has ended only when it reads.
slow.socket.once("error", () => {});
setTimeout(() => slow.socket.resume(), 2_000).unref();
await Promise.all(closed);
console.log(JSON.stringify({ clients, acknowledgedBefore, rssMb: rssMb.slice(WARM_UP_MS / SAMPLE_MS) }));
