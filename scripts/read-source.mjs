import { posix } from "node:path";
import ts from "typescript-api";

const TEXT = new Set([
  ts.SyntaxKind.StringLiteral,
  ts.SyntaxKind.NoSubstitutionTemplateLiteral,
  ts.SyntaxKind.TemplateHead,
  ts.SyntaxKind.TemplateMiddle,
  ts.SyntaxKind.TemplateTail,
  ts.SyntaxKind.RegularExpressionLiteral,
]);

/**
 * What a TypeScript or JavaScript text imports, and its code with comments, strings, templates and regular expressions
 * blanked out. Every character of the code keeps its line and column.
 *
 * @param {string} file its path in the project, which decides how the text is parsed
 * @param {string} text
 * @returns {{ code: string, imports: { at: number, specifier: string, target: string | undefined }[] }} `at`: index of
 *   the specifier; `target`: the source file that a relative one reaches, whether or not it exists
 */
export function readSource(file, text) {
  const imports = ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ pos, fileName }) => ({ at: pos, specifier: fileName, target: targetOf(file, fileName) }));
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const blank = text.replace(/[^\n]/g, " ");
  let code = "";
  const visit = (node) => {
    if (ts.isJSDoc(node)) return;
    const parts = node.getChildren(tree);
    if (parts.length > 0) return parts.forEach(visit);
    if (TEXT.has(node.kind)) return;
    const start = node.getStart(tree);
    code += blank.slice(code.length, start) + text.slice(start, node.end);
  };
  visit(tree);
  return { code: code + blank.slice(code.length), imports };
}

function targetOf(file, specifier) {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(file), specifier).replace(/\.([cm]?)js$/, ".$1ts");
}
