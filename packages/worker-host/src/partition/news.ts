import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { MembersNews } from "../protocol/port/messages.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import type { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import type { Cell } from "./cell.js";

/** More are told at once. */
const MOST_WAITING = 512;

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

  /** `watched`: its reference, when main has to know the reason. */
  ended(cell: Cell, reason: ExitReason, lost: number, watched: ActorRef | undefined): void {
    const news = this.#news;
    news.gone.push([cell.name, cell.number, cell.generation]);
    news.ended[reason.kind] = (news.ended[reason.kind] ?? 0) + 1;
    news.queued += lost;
    if ("error" in reason && news.sample === undefined) {
      news.sample = { id: cell.id, reason: encodeForeign(this.#codec, reason) };
    }
    if (watched !== undefined) {
      news.watched.push([watched.address, watched.uid, watched.id, encodeForeign(this.#codec, reason)]);
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
    queued: 0,
    dropped: 0,
    method: "",
    sample: undefined,
  };
}
