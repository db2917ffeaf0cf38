/** What a door knows of one node's run: see sending.ts. */
interface Sender {
  readonly incarnation: string;
  readonly run: number;
  /** The next one that may come in. */
  next: number;
  /** The last one that was taken for good. */
  taken: number;
  /** Nothing from here on is taken. */
  end: number;
}

/** At a door: which messages come in the order in which they were sent. */
export class Arrivals {
  /** By node. */
  readonly #senders = new Map<string, Sender>();

  /** Whether it may come in: it is the next of its run, or the first of a later one. */
  comesIn(node: string, incarnation: string, run: number, number: number): boolean {
    let sender = this.#senders.get(node);
    if (sender === undefined || sender.incarnation !== incarnation || run > sender.run) {
      sender = { incarnation, run, next: 1, taken: 0, end: Infinity };
      this.#senders.set(node, sender);
    }
    if (run !== sender.run || number !== sender.next || number >= sender.end) return false;
    sender.next++;
    return true;
  }

  /** Whether one that came in may still be taken. */
  mayBeTaken(node: string, run: number, number: number): boolean {
    const sender = this.#of(node, run);
    return sender !== undefined && number < sender.end;
  }

  taken(node: string, run: number, number: number): void {
    const sender = this.#of(node, run);
    if (sender !== undefined) sender.taken = number;
  }

  /** Neither it nor what comes after it in its run. Returns the last one that was taken for good. */
  refused(node: string, run: number, number: number): number {
    const sender = this.#of(node, run);
    if (sender === undefined) return 0;
    sender.end = Math.min(sender.end, number, sender.next);
    return sender.taken;
  }

  #of(node: string, run: number): Sender | undefined {
    const sender = this.#senders.get(node);
    return sender?.run === run ? sender : undefined;
  }
}
