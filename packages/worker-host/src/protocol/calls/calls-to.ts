interface Linked<Call> {
  // Neighbours among the calls to its callee.
  previousToCallee: Call | undefined;
  nextToCallee: Call | undefined;
}

/** The calls to one callee that have not settled, in the order they were made. */
export class CallsTo<Call extends Linked<Call>> {
  /** True while the list can be found by the callee's uid. */
  isListed = true;
  first: Call | undefined = undefined;
  #last: Call | undefined = undefined;

  add(call: Call): void {
    const last = this.#last;
    if (last === undefined) this.first = call;
    else last.nextToCallee = call;
    call.previousToCallee = last;
    this.#last = call;
  }

  remove(call: Call): void {
    const { previousToCallee: previous, nextToCallee: next } = call;
    if (previous === undefined) this.first = next;
    else previous.nextToCallee = next;
    if (next === undefined) this.#last = previous;
    else next.previousToCallee = previous;
    // A call that V8 has promoted to the old generation would keep all later ones alive until the next full collection.
    call.previousToCallee = undefined;
    call.nextToCallee = undefined;
  }
}

interface Callee<Call extends Linked<Call>> {
  readonly uid: number;
  calls: CallsTo<Call> | undefined;
}

const FEWEST_LISTED = 64;

/** The open calls of a thread by callee. A callee keeps its list, so that a call needs no look-up. */
export class CallsByCallee<Call extends Linked<Call>> {
  readonly #lists = new Map<number, CallsTo<Call>>();
  #sweepAt = FEWEST_LISTED;

  add(call: Call, callee: Callee<Call>): void {
    let { calls } = callee;
    if (calls?.isListed !== true) {
      calls = this.#listOf(callee.uid);
      callee.calls = calls;
    }
    calls.add(call);
  }

  /** The first call to the callee with this uid. The others are linked to it. */
  first(uid: number): Call | undefined {
    return this.#lists.get(uid)?.first;
  }

  #listOf(uid: number): CallsTo<Call> {
    const known = this.#lists.get(uid);
    if (known !== undefined) return known;
    if (this.#lists.size >= this.#sweepAt) this.#sweep();
    const calls = new CallsTo<Call>();
    this.#lists.set(uid, calls);
    return calls;
  }

  /** Removes empty lists, but only once there are twice as many lists as were in use the last time. */
  #sweep(): void {
    for (const [uid, calls] of this.#lists) {
      if (calls.first !== undefined) continue;
      calls.isListed = false;
      this.#lists.delete(uid);
    }
    this.#sweepAt = Math.max(FEWEST_LISTED, 2 * this.#lists.size);
  }
}
