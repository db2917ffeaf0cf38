import { FRAME_HEADER_BYTES, type Frame } from "#cluster/link/frame.js";
import { PROTOCOL } from "#cluster/link/hello.js";
import { hasRoom, type LinkAction, type LinkEvent, type LinkState, linkStep, newLink } from "#cluster/link/link.js";

/** What may happen next, of so many kinds; see `step`. */
export const KINDS = 16;

export interface Op {
  readonly kind: number;
  readonly side: 0 | 1;
  /** Which of the frames under way, or how much time passes. */
  readonly which: number;
}

interface Side {
  link: LinkState;
  incarnation: number;
  /** Frames under way to this side. */
  arriving: Frame[];
  connected: boolean;
  /** Of the other side's messages: their numbers, in the order they came. */
  delivered: number[];
  ups: number;
  downs: number;
}

/** Two ends of a link over a network that loses, repeats, delays and changes the order, by a schedule. */
export class LinkSimulator {
  readonly sides: readonly [Side, Side];
  /** Every message that was accepted: which side's it was, and of which session there. */
  readonly sent: [{ number: number; session: number }[], { number: number; session: number }[]] = [[], []];
  now = 0;
  #last = 0;

  constructor() {
    this.sides = [this.#start(0, 1), this.#start(1, 1)];
  }

  step({ kind, side, which }: Op): void {
    const own = this.sides[side];
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return this.#sendMessage(side);
      case 3:
      case 4:
      case 5:
      case 6:
        return this.#arrive(side, 0, false);
      case 7:
        return this.#arrive(side, which % Math.max(1, own.arriving.length), false);
      case 8:
        return this.#arrive(side, which % Math.max(1, own.arriving.length), true);
      case 9:
        if (own.arriving.length > 0) own.arriving.splice(which % own.arriving.length, 1);
        return;
      case 10:
        this.now += which * 10;
        this.event(side, { type: "tick" });
        return;
      case 11:
        own.connected = !own.connected;
        this.event(side, { type: "engine", up: own.connected });
        return;
      case 12:
        return this.event(side, { type: "greet" });
      case 13:
        // Rare: it makes an end of all that is under way.
        if (which % 3 === 0) this.event(side, { type: "end", why: "silent" });
        return;
      case 14:
        if (which % 7 === 0) this.#restart(side);
        return;
      default:
        // A node that is cut off loses what was under way to it.
        if (which % 2 === 0) own.arriving = [];
    }
  }

  /** No more faults: greets, and goes on until nothing is under way and time brings nothing more. */
  settle(): void {
    for (const side of [0, 1] as const) {
      this.sides[side].connected = true;
      this.event(side, { type: "engine", up: true });
    }
    for (let round = 0; round < 40; round++) {
      for (const side of [0, 1] as const) {
        this.event(side, { type: "greet" });
        this.event(side, { type: "tick" });
        while (this.sides[0].arriving.length + this.sides[1].arriving.length > 0) {
          this.#arrive(0, 0, false);
          this.#arrive(1, 0, false);
        }
      }
      this.now += 300;
    }
  }

  event(side: 0 | 1, event: LinkEvent): void {
    this.#carryOut(side, linkStep(this.sides[side].link, event, this.now));
  }

  #start(side: 0 | 1, incarnation: number): Side {
    const hello = {
      incarnation: `${"ab"[side]}${incarnation}`,
      startedAt: incarnation,
      oldest: PROTOCOL,
      newest: PROTOCOL,
    };
    const link = newLink(hello, incarnation * 1000);
    return { link, incarnation, arriving: [], connected: true, delivered: [], ups: 0, downs: 0 };
  }

  #restart(side: 0 | 1): void {
    const { arriving, delivered, incarnation } = this.sides[side];
    Object.assign(this.sides[side], this.#start(side, incarnation + 1), { arriving, delivered });
  }

  #sendMessage(side: 0 | 1): void {
    const { link } = this.sides[side];
    if (!hasRoom(link)) return;
    const number = ++this.#last;
    this.sent[side].push({ number, session: link.epoch });
    this.event(side, { type: "data", body: new Uint8Array(new Int32Array([number]).buffer) });
  }

  #arrive(side: 0 | 1, index: number, again: boolean): void {
    const { arriving, connected } = this.sides[side];
    if (arriving.length === 0) return;
    const [frame] = again ? [arriving[index]] : arriving.splice(index, 1);
    // NATS keeps nothing for one that is away.
    if (connected) this.event(side, { type: "frame", frame });
  }

  #carryOut(side: 0 | 1, actions: readonly LinkAction[]): void {
    const own = this.sides[side];
    for (const action of actions) {
      if (action.type === "send") {
        if (action.frame.body.length > 1000 * FRAME_HEADER_BYTES) throw new Error("a frame without bounds");
        this.sides[side === 0 ? 1 : 0].arriving.push(action.frame);
      } else if (action.type === "deliver") own.delivered.push(new Int32Array(action.body.slice().buffer)[0]);
      else if (action.type === "up") own.ups++;
      else if (action.type === "down") own.downs++;
    }
  }
}
