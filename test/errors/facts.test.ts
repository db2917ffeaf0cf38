import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Api from "typescript-api";
import { expect, test, vi } from "vitest";

// The compiler reads all sources of the packages, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const ts = createRequire(import.meta.url)("typescript-api") as typeof Api;
const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));

function sources(folder: string): string[] {
  return ts.sys.readDirectory(`${packages}${folder}/src`, [".ts"]);
}

const parse = (file: string): Api.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);

/** Codes all of whose facts are optional need not be told any. */
function codesWithFacts(): Set<string> {
  const required = new Set<string>();
  const visit = (node: Api.Node): void => {
    if (ts.isInterfaceDeclaration(node) && node.name.text === "FactsByCode") {
      for (const member of node.members as Api.NodeArray<Api.PropertySignature>) {
        const type = (member.type as Api.TypeNode).getText();
        if (!/^Partial<\w+>$/.test(type)) required.add(member.name.getText());
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(`${packages}worker-host/src/protocol/errors/facts.ts`));
  return required;
}

// What is given is checked by the compiler; that it is given is not, so that a test may make an error without.
test("wherever the runtime makes an error, it tells the facts of the code", () => {
  const required = codesWithFacts();
  expect(required.size).toBeGreaterThan(20);
  const silent: string[] = [];
  let made = 0;
  for (const file of ["worker-host", "runtime", "metrics", "cluster"].flatMap(sources)) {
    const source = parse(file);
    const visit = (node: Api.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText() === "ActorError") {
        made++;
        const [code, , facts] = node.arguments ?? [];
        const isFree = ts.isStringLiteral(code) && !required.has(code.text);
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        if (facts === undefined && !isFree) silent.push(`${file.slice(packages.length)}:${line} ${code.getText()}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(made).toBeGreaterThan(50);
  expect(silent).toEqual([]);
});
