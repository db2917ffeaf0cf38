import type { ActorRef, ActorSpec } from "@mini-otp/runtime";
import { type Fields, field, integer, isRecord, isText, takeOptions } from "@mini-otp/runtime/options";
import { type Filled, nameUpTo, numberFrom, required } from "@mini-otp/worker-host/protocol/options";

/** Many small ones, spread over nodes: what `cluster.shards` takes. */
export interface ShardsSpec
  extends Pick<ActorSpec, "heapCapMb" | "offHeapCapMb" | "handlerTimeoutMs" | "mailbox" | "shutdown"> {
  /** The same on every node: 1 to 64 characters. */
  readonly id: string;
  /** The module whose default export `defineEntity` has made. Found as an actor's: `.js` may be a `.ts` file beside. */
  readonly entity: URL;
  /** How many shards, each an actor: from 1 to 1 024, the same on every node. Default 64. */
  readonly shards?: number | undefined;
  /** Labels that a node must have to run shards. Others only send. Default: every node that declares them. */
  readonly on?: Readonly<Record<string, string>> | undefined;
  /** After a node has come, its shards move to it when no other came or went for so long. Default 10 000. */
  readonly settleMs?: number | undefined;
}

/** Entities by their ids, wherever they live. */
export interface Shards<A = any> {
  readonly id: string;
  readonly shards: number;
  /**
   * The reference to an entity, which need not live yet: what is sent to it goes to where its shard is, in order, and waits while
   * that moves, until `ERR_MAILBOX_FULL`. A monitor watches the shard. Throws ERR_INVALID_OPTION.
   */
  ref(entity: string): ActorRef<A>;
  /** Shards that run on this node, and those that are about to leave it. */
  stats(): { readonly held: number; readonly moving: number };
}

export type FullShardsSpec = ShardsSpec & Filled<Pick<ShardsSpec, "shards" | "settleMs">>;

const anything = field("as in an actor's spec", () => true);

export const anEntityId = nameUpTo(256);

const FIELDS: Fields = {
  id: required(nameUpTo(64)),
  entity: required(field("a URL", (value) => value instanceof URL)),
  shards: integer([1, 1024]),
  on: field("an object of texts", (value) => isRecord(value) && Object.values(value).every(isText)),
  settleMs: numberFrom(0, 3_600_000, "milliseconds"),
  heapCapMb: anything,
  offHeapCapMb: anything,
  handlerTimeoutMs: anything,
  mailbox: anything,
  shutdown: anything,
};

/** Throws ERR_INVALID_OPTION. What is of the actor's spec is checked when the first shard is started. */
export function takeShardsSpec(given: ShardsSpec): FullShardsSpec {
  const { shards = 64, settleMs = 10_000, ...rest } = takeOptions("shards", given, FIELDS);
  return { ...rest, shards, settleMs };
}
