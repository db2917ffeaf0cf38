import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { MembersNews } from "../protocol/port/messages.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import type { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import type { Cell } from "./cell.js";

/** More are told at once. */
const MOST_WAITING = 512;

/** A member that has ended was started again, or not because it had been too often, or it is gone as it should. */
export type AfterEnd = "restarted" | "given_up" | "gone";

/** What main has to know of the members of a partition, put together: one message for many ends. */
export class News {
  readonly #codec: Codec;
  readonly #post: (news: MembersNews) => void;
  #news = empty();
  #size = 0;

  constructor(codec: Codec, post: (news: MembersNews) => void) {
    this.#codec = codec;
    this.#post = post;
  }

  spawned({ name }: Cell, address: number, uid: number): void {
    this.#news.spawned.push([name, address, uid]);
    this.#grow();
  }

  /** It has been started, and the next thread starts it again. */
  kept({ name, number, generation, type, args }: Cell): void {
    const encoded = encodeForeign(this.#codec, args);
    this.#news.kept.push({ name, cell: number, generation, spec: type.spec, args: encoded });
    this.#grow();
  }

  /** What the former thread left has been taken over. */
  inherited(): void {
    this.#news.inherited = true;
    this.#grow();
  }

  /** `watched`: its reference, when main has to know the reason. `then`: what became of it. */
  ended(cell: Cell, reason: ExitReason, lost: number, watched: ActorRef | undefined, then: AfterEnd): void {
    const news = this.#news;
    if (then === "restarted") news.restarted++;
    else news.gone.push([cell.name, cell.number, cell.generation]);
    if (then === "given_up") news.givenUp++;
    news.ended[reason.kind] = (news.ended[reason.kind] ?? 0) + 1;
    news.queued += lost;
    if ("error" in reason && news.sample === undefined) {
      news.sample = { id: cell.id, reason: encodeForeign(this.#codec, reason) };
    }
    if (watched !== undefined) {
      const { address, uid, id } = watched;
      const encoded = encodeForeign(this.#codec, reason);
      news.watched.push([address, uid, id, cell.incarnation, encoded, then === "restarted"]);
    }
    this.#grow();
  }

  /** A message that no member gets. */
  lost(method: string, why: "queued" | "dropped" = "queued"): void {
    const news = this.#news;
    news[why]++;
    news.method = method;
    this.#grow();
  }

  flush(): void {
    if (this.#size === 0) return;
    const news = this.#news;
    this.#news = empty();
    this.#size = 0;
    this.#post(news);
  }

  #grow(): void {
    if (++this.#size >= MOST_WAITING) this.flush();
  }
}

function empty(): {
  -readonly [K in keyof MembersNews]: MembersNews[K] extends readonly (infer T)[] ? T[] : MembersNews[K];
} & {
  ended: Record<string, number>;
} {
  return {
    type: "members",
    spawned: [],
    gone: [],
    ended: {},
    watched: [],
    kept: [],
    inherited: false,
    restarted: 0,
    givenUp: 0,
    queued: 0,
    dropped: 0,
    method: "",
    sample: undefined,
  };
}
