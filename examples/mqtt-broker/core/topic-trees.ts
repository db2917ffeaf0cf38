import type { Message } from "./message.js";

interface FilterNode<T> {
  readonly next: Map<string, FilterNode<T>>;
  /** By client. */
  readonly subscribers: Map<string, T>;
}

const newFilterNode = <T>(): FilterNode<T> => ({ next: new Map(), subscribers: new Map() });

/** The clients that have subscribed, by filter. A topic is matched in the time of its levels, not of all filters. */
export class FilterTree<T> {
  readonly #root = newFilterNode<T>();
  #size = 0;

  /** Subscriptions in all. */
  get size(): number {
    return this.#size;
  }

  /** True when the client had no subscription with this filter before. */
  add(filter: string, client: string, subscription: T): boolean {
    let node = this.#root;
    for (const level of filter.split("/")) {
      let next = node.next.get(level);
      if (next === undefined) {
        next = newFilterNode();
        node.next.set(level, next);
      }
      node = next;
    }
    const isNew = !node.subscribers.has(client);
    node.subscribers.set(client, subscription);
    if (isNew) this.#size++;
    return isNew;
  }

  remove(filter: string, client: string): boolean {
    const levels = filter.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const next = path[path.length - 1].next.get(level);
      if (next === undefined) return false;
      path.push(next);
    }
    if (!path[levels.length].subscribers.delete(client)) return false;
    this.#size--;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node.next.size > 0 || node.subscribers.size > 0) break;
      path[depth - 1].next.delete(levels[depth - 1]);
    }
    return true;
  }

  /** Visits each subscription that the topic matches: a client with two filters twice. */
  match(topic: string, visit: (subscription: T) => void): void {
    const levels = topic.split("/");
    const walk = (node: FilterNode<T>, depth: number): void => {
      // Topics of the server's own begin with $, and a wildcard at the first level does not mean them.
      const wild = depth > 0 || !topic.startsWith("$");
      if (wild) {
        const all = node.next.get("#");
        if (all !== undefined) visitAll(all);
      }
      if (depth === levels.length) return visitAll(node);
      const exact = node.next.get(levels[depth]);
      if (exact !== undefined) walk(exact, depth + 1);
      const one = wild ? node.next.get("+") : undefined;
      if (one !== undefined) walk(one, depth + 1);
    };
    const visitAll = ({ subscribers }: FilterNode<T>): void => {
      for (const subscription of subscribers.values()) visit(subscription);
    };
    walk(this.#root, 0);
  }
}

interface RetainedNode {
  readonly next: Map<string, RetainedNode>;
  message: Message | undefined;
}

/** The last retained message of each topic. */
export class RetainedTree {
  readonly #root: RetainedNode = { next: new Map(), message: undefined };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(topic: string): boolean {
    let node: RetainedNode | undefined = this.#root;
    for (const level of topic.split("/")) node = node?.next.get(level);
    return node?.message !== undefined;
  }

  set(message: Message): void {
    let node = this.#root;
    for (const level of message.topic.split("/")) {
      let next = node.next.get(level);
      if (next === undefined) {
        next = { next: new Map(), message: undefined };
        node.next.set(level, next);
      }
      node = next;
    }
    if (node.message === undefined) this.#size++;
    node.message = message;
  }

  delete(topic: string): void {
    const levels = topic.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const next = path[path.length - 1].next.get(level);
      if (next === undefined) return;
      path.push(next);
    }
    const last = path[levels.length];
    if (last.message === undefined) return;
    last.message = undefined;
    this.#size--;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node.next.size > 0 || node.message !== undefined) break;
      path[depth - 1].next.delete(levels[depth - 1]);
    }
  }

  /** Visits the messages of all topics that the filter matches. */
  find(filter: string, visit: (message: Message) => void): void {
    const levels = filter.split("/");
    const walk = (node: RetainedNode, depth: number): void => {
      if (depth === levels.length) {
        if (node.message !== undefined) visit(node.message);
        return;
      }
      const level = levels[depth];
      if (level === "#") return below(node, depth === 0);
      if (level !== "+") {
        const next = node.next.get(level);
        if (next !== undefined) walk(next, depth + 1);
        return;
      }
      for (const [name, next] of node.next) if (depth > 0 || !name.startsWith("$")) walk(next, depth + 1);
    };
    const below = (node: RetainedNode, isRoot: boolean): void => {
      if (node.message !== undefined) visit(node.message);
      for (const [name, next] of node.next) if (!isRoot || !name.startsWith("$")) below(next, false);
    };
    walk(this.#root, 0);
  }
}
