import { StateTable } from "./state-table.js";

/** A system of processes, as a state and the actions that may change it. */
export interface Model {
  /** One name and one largest value for each field of a state. */
  readonly fields: readonly string[];
  readonly maxima: readonly number[];
  /** How many actions there are. */
  readonly actions: number;
  /** Actions from this one on are faults: any of them may happen, but nothing may depend on one to happen. */
  readonly firstFault: number;
  begin(state: Uint8Array): void;
  /** Takes an action in place. False when it is not possible in this state. */
  take(state: Uint8Array, action: number): boolean;
  /** What is wrong in this state. */
  violation(state: Uint8Array): string | undefined;
  /** What is wrong with ending in this state, which no action but a fault can leave. */
  badEnding(state: Uint8Array): string | undefined;
  /** What `action` does in this state, for people. */
  describe(state: Uint8Array, action: number): string;
  /** A state, for people. */
  summary(state: Uint8Array): string;
}

export interface Verdict {
  /** The first thing found wrong, with a shortest run that leads there, or undefined. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
  readonly states: number;
  readonly transitions: number;
  /** States that no action leaves. */
  readonly endings: number;
  readonly ms: number;
}

export interface SearchOptions {
  /** Also prove that every run ends, for nothing could be said of one that goes on for ever. Takes twice the time. */
  readonly provingEnd?: boolean;
}

const ENDLESS = "a run goes on for ever";

/** Visits every state the model can reach, nearest first, and stops at the first that is wrong. */
export function search(model: Model, options: SearchOptions = {}): Verdict {
  const startedAt = performance.now();
  const { actions, firstFault } = model;
  const table = new StateTable(model.fields, model.maxima);
  const current = new Uint8Array(model.fields.length);
  const next = new Uint8Array(model.fields.length);
  const parents: number[] = [-1];
  const entries: number[] = [];
  let transitions = 0;
  let endings = 0;

  const verdict = (violation: string | undefined, trace: readonly string[]): Verdict => ({
    violation,
    trace,
    states: table.size,
    transitions,
    endings,
    ms: performance.now() - startedAt,
  });

  model.begin(current);
  table.add(current);
  for (let number = 0; number < table.size; number++) {
    table.read(number, current);
    const wrong = model.violation(current);
    if (wrong !== undefined) return verdict(wrong, traceTo(model, table, parents, number));

    let ended = true;
    for (let action = 0; action < actions; action++) {
      next.set(current);
      if (!model.take(next, action)) continue;
      transitions++;
      if (action < firstFault) ended = false;
      const added = table.add(next);
      if (added >= 0) parents.push(number);
      if (options.provingEnd === true) {
        const to = added >= 0 ? added : ~added;
        entries[to] = (entries[to] ?? 0) + 1;
      }
    }
    if (ended) {
      endings++;
      const stuck = model.badEnding(current);
      if (stuck !== undefined) return verdict(stuck, traceTo(model, table, parents, number));
    }
  }
  if (options.provingEnd === true && !everyRunEnds(model, table, entries)) return verdict(ENDLESS, []);
  return verdict(undefined, []);
}

/** Takes away, again and again, the states that nothing leads to: what is left in the end leads back to itself. */
function everyRunEnds(model: Model, table: StateTable, entries: number[]): boolean {
  const current = new Uint8Array(model.fields.length);
  const next = new Uint8Array(model.fields.length);
  const free = [0];
  let taken = 0;
  for (let number = free.pop(); number !== undefined; number = free.pop()) {
    taken++;
    table.read(number, current);
    for (let action = 0; action < model.actions; action++) {
      next.set(current);
      if (!model.take(next, action)) continue;
      const to = table.find(next);
      if (--entries[to] === 0) free.push(to);
    }
  }
  return taken === table.size;
}

/** The actions of a shortest run to a state in words, and that state. */
function traceTo(model: Model, table: StateTable, parents: readonly number[], target: number): string[] {
  const path = [target];
  while (path[0] !== 0) path.unshift(parents[path[0]]);
  const state = new Uint8Array(model.fields.length);
  const next = new Uint8Array(model.fields.length);
  const steps = path.slice(1).map((to, index) => {
    table.read(path[index], state);
    for (let action = 0; action < model.actions; action++) {
      next.set(state);
      if (model.take(next, action) && table.find(next) === to) return model.describe(state, action);
    }
    throw new Error(`no action leads from state ${path[index]} to its successor ${to}`);
  });
  table.read(target, state);
  return [...steps, model.summary(state)];
}

/** A verdict's run, one numbered action a line, with what is wrong at its end. */
export function formatTrace({ violation, trace }: Verdict): string {
  if (violation === undefined) return "nothing is wrong";
  const steps = trace.slice(0, -1).map((step, i) => `${String(i + 1).padStart(5)}  ${step}`);
  return [...steps, ...trace.slice(-1).map((state) => `    =  ${state}`), `    !  ${violation}`].join("\n");
}
