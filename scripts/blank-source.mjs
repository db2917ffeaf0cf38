// After one of these words `/` opens a regular expression; after any other word or value it divides.
const WORD_BEFORE_REGEX =
  /(?:^|[^\w$.])(?:await|case|delete|do|else|in|instanceof|new|of|return|throw|typeof|void|yield)$/;

/**
 * The code of a JavaScript or TypeScript text, with comments, regular expressions and the insides
 * of strings and templates blanked out. Every character keeps its line and column.
 *
 * @param {string} source
 * @returns {{ code: string, strings: { at: number, value: string }[] }} `at`: index of the opening quote
 */
export function blankSource(source) {
  const strings = [];
  /** One entry for each open `${`: how many braces are open inside it. */
  const substitutions = [];
  let code = "";
  let at = 0;

  const copy = (end) => {
    code += source.slice(at, end);
    at = end;
  };
  const blank = (end) => {
    code += source.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
  };
  const slashOpensRegex = () => {
    const before = code.trimEnd();
    return before === "" || /[^\w$)\]}"'`]$/.test(before) || WORD_BEFORE_REGEX.test(before);
  };
  const endOfQuoted = (start, closing) => {
    let inClass = false;
    for (let i = start; i < source.length; i++) {
      const char = source[i];
      if (char === "\\") i++;
      else if (char === "\n") return i;
      else if (closing === "/" && char === "[") inClass = true;
      else if (closing === "/" && char === "]") inClass = false;
      else if (char === closing && !inClass) return i;
    }
    return source.length;
  };
  const templateText = () => {
    for (let i = at; i < source.length; i++) {
      if (source[i] === "\\") i++;
      else if (source[i] === "`") {
        blank(i);
        copy(i + 1);
        return;
      } else if (source.startsWith("${", i)) {
        blank(i);
        copy(i + 2);
        substitutions.push(0);
        return;
      }
    }
    blank(source.length);
  };

  while (at < source.length) {
    const char = source[at];
    const deepest = substitutions.length - 1;
    if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      blank(end === -1 ? source.length : end);
    } else if (source.startsWith("/*", at)) {
      const close = source.indexOf("*/", at + 2);
      blank(close === -1 ? source.length : close + 2);
    } else if (char === '"' || char === "'") {
      const close = endOfQuoted(at + 1, char);
      strings.push({ at, value: source.slice(at + 1, close) });
      copy(at + 1);
      blank(close);
      if (source[close] === char) copy(close + 1);
    } else if (char === "/" && slashOpensRegex()) {
      blank(Math.min(endOfQuoted(at + 1, "/") + 1, source.length));
    } else if (char === "`") {
      copy(at + 1);
      templateText();
    } else if (char === "}" && substitutions[deepest] === 0) {
      substitutions.pop();
      copy(at + 1);
      templateText();
    } else {
      if (deepest >= 0 && char === "{") substitutions[deepest]++;
      if (deepest >= 0 && char === "}") substitutions[deepest]--;
      copy(at + 1);
    }
  }
  return { code, strings };
}
