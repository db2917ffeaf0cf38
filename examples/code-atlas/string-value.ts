import type { Node } from "@vscode/tree-sitter-wasm";

const ESCAPE = /\\(?:u\{([\da-f]+)\}|u([\da-f]{4})|x([\da-f]{2})|\r\n|([\s\S]))/gi;
const ONE_CHARACTER: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "0": "\0",
  // A line that goes on.
  "\n": "",
  "\r": "",
  "\u2028": "",
  "\u2029": "",
};

/** The value of a string that is written out: a literal or a template without substitutions. */
export function stringValue(node: Node | null | undefined): string | undefined {
  if (node?.type === "template_string") {
    if (node.namedChildren.some((child) => child?.type === "template_substitution")) return undefined;
  } else if (node?.type !== "string") return undefined;
  return unescaped(node.text.slice(1, -1));
}

/** What a name or the inside of a string stands for, when escapes are in it. */
export function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (_, braced?: string, four?: string, two?: string, one = "") => {
    const code = Number.parseInt(braced ?? four ?? two ?? "", 16);
    if (Number.isNaN(code)) return ONE_CHARACTER[one] ?? one;
    return code > 0x10ffff ? "\uFFFD" : String.fromCodePoint(code);
  });
}
