const MAX_BYTES = 65_535;
/** A deeper topic is refused: the trees below are walked by recursion. */
const MAX_LEVELS = 128;

/** A topic that can be published to. */
export function isTopic(topic: string): boolean {
  return hasFit(topic) && !/[+#]/.test(topic);
}

/** A filter that can be subscribed to: `+` stands for one whole level, `#` for all that are left. */
export function isFilter(filter: string): boolean {
  if (!hasFit(filter)) return false;
  const levels = filter.split("/");
  return levels.every((level, at) => {
    if (level === "+") return true;
    if (level === "#") return at === levels.length - 1;
    return !/[+#]/.test(level);
  });
}

export function isShared(filter: string): boolean {
  return filter.startsWith("$share/");
}

function hasFit(text: string): boolean {
  return (
    text.length > 0 &&
    !text.includes("\0") &&
    Buffer.byteLength(text) <= MAX_BYTES &&
    text.split("/", MAX_LEVELS + 1).length <= MAX_LEVELS
  );
}

/** Which of `parts` keeps the topics under this first level: the same in each thread. */
export function partOf(topic: string, parts: number): number {
  const end = topic.indexOf("/");
  const length = end < 0 ? topic.length : end;
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % parts;
}

/** The parts in which a filter's topics may be: all of them when its first level is a wildcard. */
export function partsOf(filter: string, parts: number): number[] {
  const first = filter.charCodeAt(0);
  const isWild = first === 0x23 || (first === 0x2b && (filter.length === 1 || filter[1] === "/"));
  return isWild ? Array.from({ length: parts }, (_, part) => part) : [partOf(filter, parts)];
}
