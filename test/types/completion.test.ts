import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

// Programs start, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const require = createRequire(import.meta.url);
// The workspace's compiler has no language service in JavaScript, and shows no documentation of any mapped type's
// properties, `Partial<T>`'s included. This one is what the package checker brings along; editors have one like it.
const ts = createRequire(require.resolve("@arethetypeswrong/core"))("typescript");

const folder = fileURLToPath(new URL("../../types/programs/", import.meta.url));
const file = `${folder}in-the-editor.ts`;
const typing = (line: string): string => `
import { startSystem } from "@mini-otp/runtime";
import type Hasher from "./hasher.js";
const system = await startSystem();
const hasher = await system.startChild<typeof Hasher>({ id: "hasher", actor: "hasher.js", args: { rounds: 3 } });
${line}`;

/** A language service for one file that is being typed, with its cursor at the end. */
function editor(line: string) {
  const text = typing(line);
  const host = {
    getCompilationSettings: () => ({
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      types: ["node"],
    }),
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name: string) =>
      name === file || ts.sys.fileExists(name)
        ? ts.ScriptSnapshot.fromString(name === file ? text : readFileSync(name, "utf8"))
        : undefined,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name: string) => name === file || ts.sys.fileExists(name),
    readFile: (name: string) => (name === file ? text : ts.sys.readFile(name)),
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  };
  const service = ts.createLanguageService(host);
  return {
    names: (): string[] =>
      service.getCompletionsAtPosition(file, text.length, {})?.entries.map(({ name }: { name: string }) => name) ?? [],
    documentation: (name: string): string => {
      const details = service.getCompletionEntryDetails(file, text.length, name, {}, undefined, {}, undefined);
      return ts.displayPartsToString(details?.documentation);
    },
    signature: (): string => {
      const help = service.getSignatureHelpItems(file, text.length, {});
      const [{ prefixDisplayParts, parameters, suffixDisplayParts }] = help.items;
      const shown = parameters.map(({ displayParts }: any) => ts.displayPartsToString(displayParts));
      return `${ts.displayPartsToString(prefixDisplayParts)}${shown.join(", ")}${ts.displayPartsToString(suffixDisplayParts)}`;
    },
  };
}

test("an editor completes the methods of a reference's remote, with their documentation", () => {
  const { names, documentation } = editor("hasher.proxy().");
  expect(names()).toEqual(expect.arrayContaining(["hash", "later", "deferred", "reset"]));
  expect(documentation("hash")).toBe("Hashes a text as often as `args.rounds` says.");
});

test("an editor completes the names of the methods in a call", () => {
  expect(editor('hasher.call("').names()).toEqual(expect.arrayContaining(["hash", "later", "deferred", "reset"]));
});

test("an editor shows the arguments of the method that is called, by their names", () => {
  expect(editor('hasher.call("hash", ').signature()).toBe('call(method: "hash", text: string): Promise<string>');
});

test("an editor completes the options of a spec and their values, in startChild and in startSystem", () => {
  const options = ["heapCapMb", "callTimeoutMs", "mailbox"];
  expect(editor('await system.startChild({ id: "a", actor: "a.js", ').names()).toEqual(expect.arrayContaining(options));
  expect(editor('await startSystem({ children: [{ id: "a", actor: "a.js", ').names()).toEqual(
    expect.arrayContaining(options),
  );
  const restarts = ["permanent", "transient", "temporary"];
  expect(editor('await system.startChild({ id: "a", actor: "a.js", restart: "').names()).toEqual(
    expect.arrayContaining(restarts),
  );
});

test("an editor completes the ids of a declared tree", () => {
  const tree = '(await startSystem({ children: [{ id: "first", actor: "a.js" }, { id: "second", actor: "b.js" }] }))';
  expect(editor(`${tree}.child("`).names()).toEqual(["first", "second"]);
});

test("an editor completes the facts of the code that an error was asked for", () => {
  const narrowed = 'declare const error: unknown; if (isActorError(error, "ERR_CALL_EXIT")) error.reason.';
  expect(editor(`import { isActorError } from "@mini-otp/runtime"; ${narrowed}`).names()).toContain("kind");
});
