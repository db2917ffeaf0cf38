// Writes docs/options.md: every option of every child spec, of startSystem and of joinCluster. Names, types and purposes are those of the
// declarations, what is allowed is what the checkers answer to a wrong value, and defaults are what they fill in.
// Usage, after a build: node scripts/options-doc.mjs [--check]
// With --check it writes nothing; the exit code is 1 when the page is not what the code says.
import { readApi, root } from "./public-api.mjs";
import { keepPages } from "./written-pages.mjs";

const runtime = `${root}packages/runtime/dist`;
const { normaliseSpec } = await import(`${runtime}/supervision/normalise-spec.js`);
const { takeSystemOptions } = await import(`${runtime}/system/system-option-fields.js`);
const { normaliseGuard } = await import(`${runtime}/guard/guard-options.js`);
const { takeShardsSpec } = await import(`${root}packages/cluster/dist/shards/shards-spec.js`);
const { takeNatsOptions } = await import(`${root}packages/cluster/dist/cluster/options.js`);

const MODULE = "file:///app/a.js";
const nothing = () => {};

/** What is written down of each kind: its interface, and the least that a spec of it must have. */
const TABLES = [
  ["An actor", "ActorSpec", { kind: "actor", id: "a", actor: MODULE }],
  ["A router", "RouterSpec", { kind: "router", id: "a", actor: MODULE, size: 1, route: "round_robin" }],
  ["A pool", "PoolSpec", { kind: "pool", id: "a", filename: MODULE }],
  ["A resource", "ResourceSpec", { kind: "resource", id: "a", start: nothing, stop: nothing }],
  ["A supervisor", "SupervisorSpec", { kind: "supervisor", id: "a" }],
  ["A dynamic supervisor", "DynamicSupervisorSpec", { kind: "dynamic_supervisor", id: "a" }],
];

/** Options that have options themselves. */
const GROUPS = [
  "MailboxOptions",
  "BackoffOptions",
  "Permissions",
  "GuardOptions",
  "DevOptions",
  "AllowOptions",
  "WindowOptions",
  "LeaseOptions",
  "AuthOptions",
  "TlsOptions",
];
const POWERS = { 2147483647: "2^31 - 1", 1073741824: "2^30", 16777216: "2^24", 1048576: "2^20" };
/** No option is this. */
const WRONG = Symbol("wrong");
const problems = [];
const { project } = await readApi();

const lines = [
  "# Options",
  "",
  "`pnpm docs:options` makes this page from the code, and a test compares the two. Every option is checked where it is",
  "given: a wrong value is refused with [`ERR_INVALID_CHILD_SPEC` or `ERR_INVALID_OPTION`](errors.md), which names the",
  "option, the value and what is allowed. An option that is `undefined` has its default.",
  "",
  "Every number has its unit in its name: `Ms` is milliseconds, `Mb` is MiB, `Bytes` is bytes.",
  "",
  "## startSystem",
  "",
  ...tableOf("SystemOptions", systemDefaults(), (given) => takeSystemOptions(given)),
];
for (const [title, name, least] of TABLES) {
  const check = (given) => normaliseSpec({ ...least, ...given }, "root", "any_significant");
  lines.push("", `## ${title}`, "", ...tableOf(name, normaliseSpec(least, "root"), check));
}
const LEAST = { cluster: "shop", node: "a", servers: ["nats://host:4222"] };
const joining = (given) => takeNatsOptions({ ...LEAST, ...given });
lines.push("", "## joinCluster", "", ...tableOf("NatsOptions", joining({}).full, joining));
const LEAST_SHARDS = { id: "cart", entity: new URL("file:///cart.entity.js") };
const sharding = (given) => takeShardsSpec({ ...LEAST_SHARDS, ...given });
lines.push("", "## cluster.shards", "", ...tableOf("ShardsSpec", sharding({}), sharding));
for (const problem of problems) {
  console.error(`docs/options.md: ${problem}`);
  process.exitCode = 1;
}
keepPages({ "docs/options.md": `${lines.join("\n")}\n` }, "pnpm docs:options");

function systemDefaults() {
  const { strategy, intensity, periodMs, autoShutdown } = normaliseSpec({ kind: "supervisor", id: "root" }, "");
  return { strategy, intensity, periodMs, autoShutdown, guard: normaliseGuard() };
}

function tableOf(name, defaults, check) {
  const options = optionsOf(name);
  const declared = options.map(({ path }) => path).filter((path) => !path.includes("."));
  const known = namesKnownTo(check);
  for (const option of declared.filter((option) => !known.includes(option))) {
    problems.push(`${name}.${option} is declared, and the checker does not know it`);
  }
  for (const option of known.filter((option) => !declared.includes(option))) {
    problems.push(`the checker takes ${option}, which ${name} does not declare`);
  }
  // What has to be there comes first; a group stays together.
  const [must, may] = [options.filter(isRequired), options.filter((option) => !isRequired(option))];
  const rows = [...must, ...may].map((option) => rowOf(name, option, defaults, check));
  return ["| option | type | default | allowed | what it is for |", "| --- | --- | --- | --- | --- |", ...rows];
}

/** The options of an interface, and after each that is a group those of the group. */
function optionsOf(name, before = "") {
  const { children = [] } = declaration(name);
  return children.flatMap((option) => {
    if (option.type !== undefined) option.type = withoutUndefined(option.type);
    const path = `${before}${option.name}`;
    const group = groupOf(option.type);
    return [{ path, option }, ...(group === undefined ? [] : optionsOf(group, `${path}.`))];
  });
}

/** Every option takes undefined, which the page says once. */
function withoutUndefined(type) {
  if (type.type !== "union") return type;
  type.types = type.types.filter((part) => part.name !== "undefined");
  return type.types.length === 1 ? type.types[0] : type;
}

function declaration(name) {
  const modules = project.children.filter((module) => ["runtime", "cluster"].includes(module.name));
  const found = modules.flatMap(({ children }) => children).find((child) => child.name === name);
  if (found === undefined) throw new Error(`neither @mini-otp/runtime nor @mini-otp/cluster exports ${name}`);
  return found;
}

/** The interface of an option that has options itself. */
function groupOf(type) {
  const named = ["Given", "Partial"].includes(type?.name) ? type.typeArguments[0] : type;
  return GROUPS.includes(named?.name) ? named.name : undefined;
}

function isRequired({ path, option }) {
  return !option.flags.isOptional && !path.includes(".") && path !== "kind";
}

function rowOf(name, { path, option }, defaults, check) {
  const said = commentOf(option);
  if (said === "") problems.push(`${name}.${path} has no comment`);
  const { literal, words, purpose } = withoutDefault(said);
  const value = path.split(".").reduce((part, key) => part?.[key], defaults);
  const filled = ["string", "number", "boolean"].includes(typeof value) ? shown(value) : undefined;
  if (literal !== undefined && filled !== undefined && !agrees(literal, value)) {
    problems.push(`${name}.${path}: the comment says "Default ${literal}", the code fills in ${filled}`);
  }
  const isGroup = groupOf(option.type) !== undefined;
  const byDefault = isRequired({ path, option })
    ? "required"
    : (words ?? filled ?? literal ?? (isGroup ? "of each below" : "none"));
  const isAllowed = isGroup ? "the options below" : option.name === "kind" ? filled : allowed(path, check);
  const cells = [`\`${path}\``, typeOf(option), byDefault, isAllowed, purpose];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function commentOf({ comment, signatures }) {
  const { summary = [] } = comment ?? signatures?.[0].comment ?? {};
  return summary
    .map(({ text }) => text)
    .join("")
    .trim();
}

/**
 * A comment's words about the default, and the rest. "Default 5" is a literal, which the code must fill in; "Default: half
 * of it" says how it is found.
 */
function withoutDefault(said) {
  const found = /\bDefault(?:: (?<words>(?:[^.]|\.(?=\S))*)| (?<literal>`[^`]*`|[\d ]*\d(?: MiB)?))[.;,]? ?/.exec(said);
  if (found === null) return { purpose: said.replace(" (default)", "") };
  const [before, after] = [said.slice(0, found.index), said.slice(found.index + found[0].length)];
  return { ...found.groups, purpose: `${before}${after.replace(/^\w/, (first) => first.toUpperCase())}`.trim() };
}

function agrees(literal, value) {
  const text = literal.replaceAll(/[`"]/g, "");
  const bytes = / MiB$/.test(text) ? 2 ** 20 : 1;
  return typeof value === "number" ? Number(text.replaceAll(/ MiB$| /g, "")) * bytes === value : text === String(value);
}

function typeOf({ type, signatures }) {
  if (signatures !== undefined) {
    const [{ parameters = [], type: result }] = signatures;
    return `\`(${parameters.map(({ name, type }) => `${name}: ${type}`).join(", ")}) => ${result}\``;
  }
  // An alias of a few literals is clearer as these.
  const alias = type.type === "reference" ? type.reflection?.type : undefined;
  return `\`${alias?.type === "union" ? alias : type}\``;
}

/** What the checker says is allowed. */
function allowed(path, check) {
  const given = path.split(".").reduceRight((value, key) => ({ [key]: value }), WRONG);
  try {
    check(given);
    return "anything";
  } catch (error) {
    if (error.code === "ERR_NOT_CLONEABLE") return "[what a message can carry](messages.md)";
    if (error.field !== path) problems.push(`${path}: the checker complains of ${error.field}`);
    return pretty(error.allowed.replace(/; reading it threw.*/, ""));
  }
}

function namesKnownTo(check) {
  try {
    check({ noOptionIsCalledThis: 1 });
  } catch (error) {
    return error.allowed.split(", ");
  }
  throw new Error("the checker takes an option that does not exist");
}

function pretty(words) {
  return words.replace(/\d{4,}/g, (number) => POWERS[number] ?? grouped(number));
}

function shown(value) {
  if (typeof value === "number" && Number.isFinite(value)) return POWERS[value] ?? grouped(String(value));
  return `\`${JSON.stringify(value) ?? value}\``.replace("`null`", "`Infinity`");
}

function grouped(number) {
  return number.length > 4 || number.length === 4 ? number.replace(/\B(?=(\d{3})+$)/g, " ") : number;
}
