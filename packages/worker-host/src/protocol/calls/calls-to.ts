interface Linked<Call> {
  // Neighbours among the calls to its callee.
  previousToCallee: Call | undefined;
  nextToCallee: Call | undefined;
}

/** The calls to one callee that have not settled, in the order they were made. */
export class CallsTo<Call extends Linked<Call>> {
  /** It is found by the callee's uid. */
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
    // One that lives long enough to be old would keep alive all that came after it, until the next full collection.
    call.previousToCallee = undefined;
    call.nextToCallee = undefined;
  }
}

interface Callee<Call extends Linked<Call>> {
  readonly uid: number;
  calls: CallsTo<Call> | undefined;
}

const FEWEST_LISTED = 64;

/** The open calls of a thread by callee. A callee keeps its list, so that a call looks nothing up. */
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

  /** The first call to the callee of this uid; the others follow it. */
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

  /** Lists of callees that nothing is open to are kept until there are twice as many as were needed before. */
  #sweep(): void {
    for (const [uid, calls] of this.#lists) {
      if (calls.first !== undefined) continue;
      calls.isListed = false;
      this.#lists.delete(uid);
    }
    this.#sweepAt = Math.max(FEWEST_LISTED, 2 * this.#lists.size);
  }
}
