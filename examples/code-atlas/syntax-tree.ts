import { type ParserOptions, type ParserPlugin, parse } from "@babel/parser";

/** A node of the syntax tree, as far as a walk over all of them needs to know it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [property: string]: unknown;
}

export interface SyntaxTree {
  readonly program: SyntaxNode;
  /** What the parser complained about and read on. */
  readonly errors: readonly Error[];
}

const OPTIONS: ParserOptions = {
  sourceType: "unambiguous",
  errorRecovery: true,
  attachComment: false,
  createImportExpressions: true,
  // Parentheses take stack when parsed, so they count as nesting.
  createParenthesizedExpressions: true,
  allowReturnOutsideFunction: true,
  allowSuperOutsideMethod: true,
  allowNewTargetOutsideFunction: true,
  allowUndeclaredExports: true,
};

const EVERYWHERE: ParserPlugin[] = ["decoratorAutoAccessors", "explicitResourceManagement"];
const JAVASCRIPT: ParserPlugin[] = [...EVERYWHERE, "jsx", "decorators", "deprecatedImportAssert"];
// Parameter decorators exist in TypeScript's own, older decorators only.
const TYPESCRIPT: ParserPlugin[] = [...EVERYWHERE, "decorators-legacy"];

/** Throws the parser's SyntaxError, or RangeError for a nesting that overflows the stack. */
export function parseSource(path: string, source: string): SyntaxTree {
  const { program, errors } = parse(source, { ...OPTIONS, plugins: pluginsFor(path, source) });
  return { program: program as unknown as SyntaxNode, errors: (errors ?? []) as unknown as Error[] };
}

function pluginsFor(path: string, source: string): ParserPlugin[] {
  if (/\.[cm]?ts$/.test(path)) {
    return [...TYPESCRIPT, ["typescript", { dts: /\.d\.[cm]?ts$/.test(path) }]];
  }
  if (path.endsWith(".tsx")) return [...TYPESCRIPT, "typescript", "jsx"];
  const flow = /^\s*(?:\/\/|\/\*)[\s\S]{0,1000}?@flow\b/.test(source.slice(0, 2_000));
  return flow ? [...JAVASCRIPT, ["flow", { all: true }]] : JAVASCRIPT;
}
