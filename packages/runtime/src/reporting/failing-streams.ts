/** What a logger writes to: SonicBoom, pino's transports, the streams of a console. */
interface Stream {
  on(event: string, listener: (error: unknown) => void): unknown;
  flushSync?(): void;
  destroy?(): void;
}

interface Owner {
  lose(): void;
}

/** By stream, those who log to it. One listener for all, and it stays: errors come late. */
const owners = new WeakMap<object, Set<WeakRef<Owner>>>();
/** Their last write failed. */
const failing = new Set<Stream>();

/**
 * A stream tells of an error by an event, which would end the process if there were no listener. Each costs its owners
 * a line.
 */
export function heedStream(stream: unknown, owner: Owner): void {
  if (!isStream(stream)) return;
  const known = owners.get(stream);
  const all = known ?? new Set();
  for (const gone of all) if (gone.deref() === undefined) all.delete(gone);
  all.add(new WeakRef(owner));
  if (known !== undefined) return;
  owners.set(stream, all);
  stream.on("error", () => {
    for (const owner of all) owner.deref()?.lose();
    hasFailed(stream);
  });
  for (const event of ["write", "drain"]) stream.on(event, () => failing.delete(stream));
}

function isStream(stream: unknown): stream is Stream {
  return typeof stream === "object" && stream !== null && typeof (stream as Partial<Stream>).on === "function";
}

/**
 * Pino flushes its streams when the process ends, and SonicBoom tries that again and again for as long as the disk is
 * full: the process would never end. What is left in such a stream is given up before.
 */
function hasFailed(stream: Stream): void {
  if (typeof stream.flushSync !== "function" || typeof stream.destroy !== "function") return;
  failing.add(stream);
  // In front of pino's listeners, which were there before.
  process.off("beforeExit", giveUp).prependListener("beforeExit", giveUp);
  process.off("exit", giveUp).prependListener("exit", giveUp);
}

function giveUp(): void {
  for (const stream of failing) {
    try {
      stream.destroy?.();
    } catch {
      // It is closed already.
    }
  }
  failing.clear();
}
