import { fileURLToPath } from "node:url";
import {
  API,
  type Checker,
  type Symbol as Named,
  type Program,
  SignatureKind,
  SymbolFlags,
  type Type,
  TypeFlags,
} from "typescript/unstable/sync";
import type { Callable, FieldShape, Shape, Surface } from "./shapes.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const ENTRIES = ["worker-host/src/index", "runtime/src/index", "runtime/src/testing/index", "metrics/src/index"];
/** Made of another type's fields. */
const MAPPED = new Set(["Partial", "Omit", "Pick", "Readonly"]);
/** Deeper than any option is. */
const PRIMITIVE = TypeFlags.StringLike | TypeFlags.NumberLike | TypeFlags.BooleanLike;
const MAX_DEPTH = 6;

/** Reads from the packages' own types what a user can call, and with what. */
export function readSurface(): Surface {
  const api = new API({ cwd: ROOT });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [`${ROOT}test/tsconfig.json`] });
    const [{ program, checker }] = snapshot.getProjects();
    const reader = new TypeReader(program, checker);
    for (const entry of ENTRIES) reader.readEntry(`/packages/${entry}`);
    return { calls: withNames(reader.calls, reader.options), options: reader.options };
  } finally {
    api.close();
  }
}

/** A list of arguments that is one type names none of them. */
function withNames(calls: Surface["calls"], options: Surface["options"]): Surface["calls"] {
  const [[actor]] = calls.runInline.map(({ params }) => params);
  const args: FieldShape = { name: "args", optional: false, shape: { kind: "any" } };
  const more: FieldShape = { name: "options", optional: false, shape: options.InlineOptions };
  return { ...calls, runInline: [{ params: [actor, args, more] }] };
}

class TypeReader {
  readonly calls: Record<string, readonly Callable[]> = {};
  readonly options: Record<string, Extract<Shape, { kind: "object" }>> = {};
  readonly #program: Program;
  readonly #checker: Checker;
  readonly #known = new Map<number, Shape>();

  constructor(program: Program, checker: Checker) {
    this.#program = program;
    this.#checker = checker;
  }

  readEntry(entry: string): void {
    const isEntry = new RegExp(`${entry.replace("/src/", "/(?:src|dist)/")}\\.(?:d\\.)?ts$`);
    const file = this.#program.getSourceFile(
      this.#program.getSourceFileNames().find((name) => isEntry.test(name)) ?? "",
    );
    const module = file && this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`no types of ${entry}`);
    for (const exported of this.#checker.getExportsOfModule(module)) {
      const symbol = exported.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(exported) : exported;
      if (!this.#isInternal(symbol)) this.#readExport(exported.name, symbol);
    }
  }

  #readExport(name: string, symbol: Named): void {
    if (symbol.flags & SymbolFlags.Function) {
      const type = this.#checker.getTypeOfSymbol(symbol);
      if (type !== undefined) this.calls[name] = this.#signatures(type, SignatureKind.Call);
    }
    if (symbol.flags & SymbolFlags.Class) {
      const type = this.#checker.getTypeOfSymbol(symbol);
      // A constructor that is internal is not for users.
      const constructors = type === undefined ? [] : this.#checker.getSignaturesOfType(type, SignatureKind.Construct);
      const own = constructors.filter((signature) => !this.#declaredInternal(signature.declaration?.resolve()));
      if (own.length > 0 && this.#isError(symbol)) this.calls[`new ${name}`] = own.map((one) => this.#callable(one));
    }
    if (symbol.flags & SymbolFlags.Interface && /(?:Options|Spec|Permissions)$/.test(name)) {
      const shape = this.#shape(this.#checker.getDeclaredTypeOfSymbol(symbol), 0);
      if (shape.kind === "object") this.options[name] = { ...shape, name };
      return;
    }
    if (symbol.flags & (SymbolFlags.Class | SymbolFlags.Interface)) {
      for (const member of this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol))) {
        if (!this.#isOurs(member) || this.#isInternal(member) || /^__[#@]/.test(member.name)) continue;
        const type = this.#checker.getTypeOfSymbol(member);
        const signatures = type === undefined ? [] : this.#signatures(type, SignatureKind.Call);
        if (signatures.length > 0 && !(member.flags & SymbolFlags.Optional))
          this.calls[`${name}.${member.name}`] = signatures;
      }
    }
  }

  #isError(symbol: Named): boolean {
    return symbol.name.endsWith("Error");
  }

  #isInternal(symbol: Named): boolean {
    return this.#checker.getJsDocTagsOfSymbol(symbol).some(({ name }) => name === "internal");
  }

  #declaredInternal(node: { getFullText?(): string } | undefined): boolean {
    return node?.getFullText?.().includes("@internal") ?? false;
  }

  #isOurs(symbol: Named | undefined): boolean {
    return (
      symbol?.declarations.some(({ path }) => path.includes("/packages/") && !path.includes("/node_modules/")) ?? false
    );
  }

  #signatures(type: Type, kind: SignatureKind): Callable[] {
    return this.#checker.getSignaturesOfType(type, kind).map((signature) => this.#callable(signature));
  }

  #callable(signature: ReturnType<Checker["getSignaturesOfType"]>[number]): Callable {
    const parameters = signature.getParameters();
    const params = parameters.map((parameter, index): FieldShape => {
      const isRest = signature.hasRestParameter && index === parameters.length - 1;
      const shape = this.#shapeOfSymbol(parameter, 0);
      return isRest
        ? { name: `…${parameter.name}`, optional: true, shape: shape.kind === "list" ? shape.of : { kind: "any" } }
        : { name: parameter.name, optional: false, shape };
    });
    return { params };
  }

  #shapeOfSymbol(symbol: Named, depth: number): Shape {
    const type = this.#checker.getTypeOfSymbol(symbol);
    return type === undefined ? { kind: "any" } : this.#shape(type, depth);
  }

  #shape(type: Type, depth: number): Shape {
    const known = this.#known.get(type.id);
    if (known !== undefined) return known;
    const shape = this.#newShape(type, depth);
    this.#known.set(type.id, shape);
    return shape;
  }

  #newShape(type: Type, depth: number): Shape {
    const { flags } = type;
    if (flags & (TypeFlags.Any | TypeFlags.Unknown)) return { kind: "any" };
    if (type.isLiteralType() && typeof type.value !== "bigint") return { kind: "literal", value: type.value };
    if (flags & TypeFlags.String) return { kind: "string" };
    if (flags & TypeFlags.Number) return { kind: "number" };
    if (flags & TypeFlags.Boolean) return { kind: "boolean" };
    if (flags & TypeFlags.BigInt) return { kind: "bigint" };
    if (flags & TypeFlags.Undefined) return { kind: "undefined" };
    if (flags & TypeFlags.Null) return { kind: "null" };
    if (type.isUnionType()) return { kind: "union", of: type.getTypes().map((one) => this.#shape(one, depth)) };
    if (type.isTypeParameter()) {
      const constraint = this.#checker.getBaseConstraintOfType(type);
      return constraint === undefined || depth > MAX_DEPTH ? { kind: "any" } : this.#shape(constraint, depth + 1);
    }
    if (type.isIntersectionType()) {
      // A text, a number or a flag with a mark on it, or with what a refusal adds, is the plain one.
      const plain = type.getTypes().find((one) => this.#baseFlags(one) & PRIMITIVE);
      if (plain !== undefined) return this.#shape(plain, depth);
    }
    if (!type.isObjectType() && !type.isIntersectionType()) return { kind: "any" };
    return this.#objectShape(type, depth);
  }

  #baseFlags(type: Type): TypeFlags {
    return (type.isTypeParameter() ? this.#checker.getBaseConstraintOfType(type)?.flags : type.flags) ?? 0;
  }

  #objectShape(type: Type, depth: number): Shape {
    if (
      type.isTypeReference() &&
      (this.#checker.isArrayType(type) ||
        this.#checker.isTupleType(type) ||
        /^(Readonly)?Array$/.test(type.getSymbol()?.name ?? ""))
    ) {
      const [of] = this.#checker.getTypeArguments(type);
      return { kind: "list", of: of === undefined ? { kind: "any" } : this.#shape(of, depth + 1) };
    }
    if (this.#checker.getSignaturesOfType(type, SignatureKind.Call).length > 0) return { kind: "function" };
    const symbol = type.getSymbol();
    const name = type.getAliasSymbol()?.name ?? symbol?.name ?? "";
    const isAnonymous = name.startsWith("__") || name === "" || MAPPED.has(name);
    if (
      !isAnonymous &&
      (name === "Record" || (symbol !== undefined && (symbol.flags & SymbolFlags.Class || !this.#isOurs(symbol))))
    ) {
      return { kind: "named", name };
    }
    if (depth > MAX_DEPTH) return { kind: "any" };
    const fields = this.#checker
      .getPropertiesOfType(type)
      .filter((property) => !/^__[#@]/.test(property.name) && !this.#isInternal(property));
    return {
      kind: "object",
      name: isAnonymous ? "" : name,
      fields: fields.map((property) => ({
        name: property.name,
        optional: (property.flags & SymbolFlags.Optional) !== 0,
        shape: this.#shapeOfSymbol(property, depth + 1),
      })),
    };
  }
}
