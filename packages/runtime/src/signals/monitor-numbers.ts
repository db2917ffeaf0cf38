/** The numbers of one watcher's monitors. */
interface Numbers {
  readonly toMain: Map<number, number>;
  readonly toOwn: Map<number, number>;
}

/** Maps a watcher's own numbers for its monitors to main's numbers, and back. */
export class MonitorNumbers<Watcher> {
  readonly #numbers = new Map<Watcher, Numbers>();

  add(watcher: Watcher, own: number, main: number): void {
    let numbers = this.#numbers.get(watcher);
    if (numbers === undefined) {
      numbers = { toMain: new Map(), toOwn: new Map() };
      this.#numbers.set(watcher, numbers);
    }
    numbers.toMain.set(own, main);
    numbers.toOwn.set(main, own);
  }

  /** The watcher ends its monitor. Returns main's number for it. */
  take(watcher: Watcher, own: number): number | undefined {
    const numbers = this.#numbers.get(watcher);
    const main = numbers?.toMain.get(own);
    if (numbers !== undefined && main !== undefined) this.#forget(watcher, numbers, own, main);
    return main;
  }

  /** The monitor has fired. Returns the watcher's own number for it. */
  takeOwn(watcher: Watcher, main: number): number | undefined {
    const numbers = this.#numbers.get(watcher);
    const own = numbers?.toOwn.get(main);
    if (numbers !== undefined && own !== undefined) this.#forget(watcher, numbers, own, main);
    return own;
  }

  /** The watcher has ended, and its monitors with it. */
  forgetAll(watcher: Watcher): void {
    this.#numbers.delete(watcher);
  }

  #forget(watcher: Watcher, { toMain, toOwn }: Numbers, own: number, main: number): void {
    toMain.delete(own);
    toOwn.delete(main);
    if (toMain.size === 0) this.#numbers.delete(watcher);
  }
}
