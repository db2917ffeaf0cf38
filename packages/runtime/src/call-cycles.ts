/**
 * Circles among actors that block on each other (a synchronous call, or a cast into a full mailbox). Each is listed
 * once, from its smallest uid on. Whoever is in one waits for ever: an actor blocks on one other at a time, and
 * none of a circle will do anything before another does.
 *
 * @param blockedOn uid of an actor → uid of the one it waits for
 */
export function findCycles(blockedOn: ReadonlyMap<number, number>): number[][] {
  const cycles: number[][] = [];
  const done = new Set<number>();
  for (const start of blockedOn.keys()) {
    const path: number[] = [];
    for (let uid: number | undefined = start; uid !== undefined && !done.has(uid); uid = blockedOn.get(uid)) {
      const from = path.indexOf(uid);
      if (from !== -1) {
        cycles.push(rotate(path.slice(from)));
        break;
      }
      path.push(uid);
    }
    for (const uid of path) done.add(uid);
  }
  return cycles;
}

function rotate(cycle: number[]): number[] {
  const first = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
