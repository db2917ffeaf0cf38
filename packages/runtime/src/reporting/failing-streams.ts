/** A stream that a logger writes to: SonicBoom, pino's transports, the streams of a console. */
interface Stream {
  on(event: string, listener: (error: unknown) => void): unknown;
  flushSync?(): void;
  destroy?(): void;
}

interface Owner {
  lose(): void;
}

/**
 * For each stream, the logs that write to it. The stream has one listener for all, which is never removed because
 * errors come late.
 */
const owners = new WeakMap<object, Set<WeakRef<Owner>>>();
/** The streams whose last write failed. */
const failing = new Set<Stream>();

/**
 * Listens for the errors of a stream, which would end the process without a listener. For each error its owners count a
 * lost line.
 */
export function countErrorsOf(stream: unknown, owner: Owner): void {
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
 * Pino flushes its streams when the process ends, and SonicBoom repeats that as long as the disk is full, so the
 * process would never end. So the lines that are left in such a stream are given up first.
 */
function hasFailed(stream: Stream): void {
  if (typeof stream.flushSync !== "function" || typeof stream.destroy !== "function") return;
  failing.add(stream);
  // Put in front of pino's listeners, which were added before.
  process.off("beforeExit", giveUp).prependListener("beforeExit", giveUp);
  process.off("exit", giveUp).prependListener("exit", giveUp);
}

function giveUp(): void {
  for (const stream of failing) {
    try {
      stream.destroy?.();
    } catch {
      // The stream is closed already.
    }
  }
  failing.clear();
}
