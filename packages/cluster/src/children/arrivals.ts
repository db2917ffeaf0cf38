/** What a door knows of one node's run: see sending.ts. */
export interface Sender {
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

  /** The run of one that may come in: it is the next of its run, or the first of a later one. Undefined for any other. */
  comesIn(node: string, incarnation: string, run: number, number: number): Sender | undefined {
    let sender = this.#senders.get(node);
    if (sender === undefined || sender.incarnation !== incarnation || run > sender.run) {
      sender = { incarnation, run, next: 1, taken: 0, end: Infinity };
      this.#senders.set(node, sender);
    }
    if (run !== sender.run || number !== sender.next || number >= sender.end) return undefined;
    sender.next++;
    return sender;
  }

  /** Whether one that came in may still be taken. */
  mayBeTaken(node: string, sender: Sender, number: number): boolean {
    const latest = this.#senders.get(node);
    return (latest === undefined || latest === sender) && number < sender.end;
  }

  /** Neither it nor what comes after it in its run. Returns the last one that was taken for good. */
  refused(node: string, run: number, number: number): number {
    const sender = this.#senders.get(node);
    if (sender?.run !== run) return 0;
    sender.end = Math.min(sender.end, number, sender.next);
    return sender.taken;
  }

  /** The session with that node is over: what comes in the next one begins a run, or is sent again in one that does. */
  forget(node: string): void {
    this.#senders.delete(node);
  }
}
