import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { ForeignReferences } from "@mini-otp/worker-host/protocol/values";
import { NODE_NAME } from "../nodes/node-name.js";

/** What a reference is to every node: never an address. */
export interface GlobalRef {
  readonly node: string;
  readonly incarnation: string;
  /** The owner's number of the actor or router. 0 with a path: what moves from node to node, under that name on all of them. */
  readonly uid: number;
  /** On its own node. */
  readonly path: string;
  /** The hash of a router's key. */
  readonly keyHash: number | undefined;
  /** A router without a key: it has members, of which `forKey` means one. */
  readonly isRouter: boolean;
}

/** What one gateway knows of references. */
export interface KnownReferences {
  /** For a reference to what stands here for another node's; undefined for any other. */
  globalOf(ref: ActorRef): GlobalRef | undefined;
  /** A reference to what is here leaves. */
  leaves(ref: ActorRef): GlobalRef;
  /** The reference to it that this node's actors have. */
  refTo(global: GlobalRef): ActorRef;
}

export const INCARNATION = /^[a-z0-9]{1,32}$/;
const MAX_PATH_LENGTH = 4096;
const MAX_UID = 2 ** 30 - 1;

/** What is gone: of an incarnation that no node has, and of no number that an actor has. */
export const GONE = { incarnation: "0", uid: MAX_UID, keyHash: undefined, isRouter: false };

/** Its fifth is the hash of a router's key, or true for a router without one. */
export function toWire({ node, incarnation, uid, path, keyHash, isRouter }: GlobalRef): unknown[] {
  const route = isRouter ? true : keyHash;
  return route === undefined ? [node, incarnation, uid, path] : [node, incarnation, uid, path, route];
}

/** Throws TypeError for what is no reference. */
export function fromWire(wire: readonly unknown[]): GlobalRef {
  const [node, incarnation, uid, path, route] = wire;
  const isRouter = route === true;
  const keyHash = isRouter ? undefined : route;
  const isOne =
    typeof node === "string" &&
    NODE_NAME.test(node) &&
    typeof incarnation === "string" &&
    INCARNATION.test(incarnation) &&
    isUnsigned(uid, MAX_UID) &&
    typeof path === "string" &&
    // Without a path the node itself, which is asked by its gateway's link only: a message cannot give it away.
    (uid !== 0 || path !== "") &&
    path.length <= MAX_PATH_LENGTH &&
    (keyHash === undefined || isUnsigned(keyHash, 2 ** 32 - 1));
  if (!isOne) throw new TypeError("malformed message: not a reference");
  return { node, incarnation, uid, path, keyHash, isRouter } as GlobalRef;
}

function isUnsigned(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** How the codec writes and reads the references of messages that leave, and of those that come. */
export function foreignReferences(known: KnownReferences): ForeignReferences {
  return {
    exported: (ref) => toWire(known.globalOf(ref) ?? known.leaves(ref)),
    imported: (wire) => known.refTo(fromWire(wire)),
  };
}
