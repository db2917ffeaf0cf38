/*
 * A name of the cluster as a register: free, or one holder's. A history is linearizable when each operation can be given
 * one moment between its call and its return at which it happens at once. The search is that of Wing and Gong, with Lowe's
 * memory of what was tried.
 */

export interface NameOperation {
  readonly kind: "register" | "unregister" | "lookup";
  /** Of "register" and "unregister". */
  readonly holder?: string;
  /** `info`: it may have happened at any time from its call on, or never will. */
  readonly outcome: "ok" | "fail" | "info";
  /** What a lookup that is ok has found. */
  readonly found?: string | undefined;
  readonly calledAt: number;
  readonly returnedAt: number;
}

/** One that loses what it holds with its lease, at some time from `since` on. */
export interface Suspect {
  readonly since: number;
  /** It lives, and registers again by itself what is still free. */
  readonly returns: boolean;
}

type State = string | undefined;
type Suspects = ReadonlyMap<string, Suspect>;

/** What must not be; empty for a history that is linearizable. */
export function checkName(name: string, history: readonly NameOperation[], suspects: Suspects = new Map()): string[] {
  const operations = history
    .filter(({ kind, outcome }) => !(outcome === "info" && kind === "lookup"))
    .map((operation) => ({ ...operation, returnedAt: operation.outcome === "info" ? Infinity : operation.returnedAt }))
    .sort((one, other) => one.calledAt - other.calledAt);
  if (search(operations, suspects)) return [];
  return [`${name}: not linearizable: ${operations.map(shown).join("; ")}`];
}

/** The states after the operation; none where it cannot happen in this state. */
function after(state: State, operation: NameOperation, suspects: Suspects): readonly State[] {
  const { kind, holder, outcome, found, returnedAt } = operation;
  const mayHaveLost = (of: string): boolean => (suspects.get(of)?.since ?? Infinity) <= returnedAt;
  const mayBeFree = state === undefined || mayHaveLost(state);
  if (kind === "lookup") {
    if (found === state) return [state];
    // Each node learns by itself that a lease has ended: for a while one finds a name that another finds free.
    if (found === undefined) return mayBeFree ? [state] : [];
    return mayBeFree && mayHaveLost(found) && suspects.get(found)?.returns === true ? [found] : [];
  }
  if (kind === "unregister") return [state === holder ? undefined : state];
  if (outcome !== "fail") return mayBeFree ? [holder] : [];
  if (state !== undefined) return [state];
  return [...suspects].filter(([of, { returns }]) => returns && mayHaveLost(of)).map(([of]) => of);
}

function search(operations: readonly NameOperation[], suspects: Suspects): boolean {
  const done = new Uint8Array(operations.length);
  const tried = new Set<string>();
  let left = operations.filter(({ outcome }) => outcome !== "info").length;
  const happens = (i: number, state: State): boolean => {
    const isCertain = operations[i].outcome !== "info" ? 1 : 0;
    done[i] = 1;
    left -= isCertain;
    for (const next of after(state, operations[i], suspects)) if (visit(next)) return true;
    done[i] = 0;
    left += isCertain;
    return false;
  };
  const visit = (state: State): boolean => {
    if (left === 0) return true;
    const key = `${state ?? ""}|${Buffer.from(done).toString("latin1")}`;
    if (tried.has(key)) return false;
    tried.add(key);
    let firstReturn = Infinity;
    for (let i = 0; i < operations.length; i++) {
      if (done[i] === 0) firstReturn = Math.min(firstReturn, operations[i].returnedAt);
    }
    // One that has returned before another was called comes first; what may never have happened comes last.
    const open = Array.from(operations.keys()).filter((i) => done[i] === 0 && operations[i].calledAt <= firstReturn);
    const isCertain = (i: number): boolean => operations[i].outcome !== "info";
    return (
      open.filter(isCertain).some((i) => happens(i, state)) || open.some((i) => !isCertain(i) && happens(i, state))
    );
  };
  return visit(undefined);
}

function shown({ kind, holder, outcome, found, calledAt, returnedAt }: NameOperation): string {
  const of = kind === "lookup" ? `→ ${found ?? "none"}` : (holder ?? "");
  return `${kind} ${of} ${outcome} ${Math.round(calledAt)}–${returnedAt === Infinity ? "" : Math.round(returnedAt)}`;
}
