/** A node, as it is judged whether anything of it is kept. */
export interface MaybeAway {
  readonly isUp: boolean;
  /** It has said good-bye: nothing comes of that incarnation any more. */
  readonly hasLeft: boolean;
  /** Since when there is no session with it. */
  readonly awaySince: number;
  /** What stands here for its actors. */
  readonly proxies: number;
}

/** So long messages for one that has left are told that it is not connected; after it, that there is no such actor. */
export const KEPT_AFTER_LEAVING_MS = 60_000;
/** A cluster has no more nodes. */
export const MOST_AWAY = 64;

/**
 * What is forgotten of the nodes without a session: those that have left for good, and of the others those that are away longest,
 * when there are too many, or too much stands here for them. So nodes that come and go take memory only for as long.
 */
export function toForget<P extends MaybeAway>(peers: Iterable<P>, now: number, mostProxies: number): P[] {
  const away = [...peers].filter(({ isUp }) => !isUp).sort((one, other) => other.awaySince - one.awaySince);
  let kept = 0;
  let proxies = 0;
  return away.filter((peer) => {
    if (peer.hasLeft && now - peer.awaySince >= KEPT_AFTER_LEAVING_MS) return true;
    if (kept === MOST_AWAY || (kept > 0 && proxies + peer.proxies > mostProxies)) return true;
    kept++;
    proxies += peer.proxies;
    return false;
  });
}
