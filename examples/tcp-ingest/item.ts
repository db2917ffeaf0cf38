/** One line of what a client sends, as JSON. */
export interface Item {
  readonly id: string;
  readonly text: string;
}

/** Throws an Error that says what is wrong with the line. */
export function parseItem(line: string): Item {
  const item: unknown = JSON.parse(line);
  const { id, text } = (typeof item === "object" && item !== null ? item : {}) as Partial<Record<keyof Item, unknown>>;
  if (typeof id !== "string" || typeof text !== "string") throw new Error('expected {"id": text, "text": text}');
  return { id, text };
}
