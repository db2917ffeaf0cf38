import type { IncomingMessage, ServerResponse } from "node:http";
import type { ActorSystem } from "@mini-otp/runtime";
import type { Registry } from "prom-client";
import type { ActionName } from "../ui/wire.js";
import { type AccessRules, hasToken, refusal } from "./access.js";
import { ACTIONS, act, isRefusal } from "./actions.js";
import type { Asset } from "./assets.js";
import { membersPage } from "./members.js";
import type { Nodes } from "./nodes.js";
import { readJson, refuse, secure, send, sendJson } from "./replies.js";
import type { Viewers } from "./viewers.js";
import type { Watch } from "./watch.js";

const MOST_REQUEST_BYTES = 8192;

export interface Site {
  readonly system: ActorSystem;
  readonly watch: Watch;
  readonly nodes: Nodes | undefined;
  readonly viewers: Viewers;
  readonly registry: Registry;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly access: AccessRules;
  readonly token: string;
}

type Handle = (site: Site, request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => unknown;

const ROUTES: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly handle: Handle }>> = {
  "/metrics": { method: "GET", handle: metrics },
  "/api/tree": { method: "GET", handle: ({ system }, _, response) => sendJson(response, 200, system.tree()) },
  "/api/children": { method: "GET", handle: children },
  "/api/nodes": { method: "GET", handle: ({ nodes }, _, response) => sendJson(response, 200, nodes?.list() ?? []) },
  "/api/nodes/tree": { method: "GET", handle: treePart },
  "/api/events": { method: "GET", handle: events },
  "/api/token": { method: "GET", handle: checkToken },
  "/api/actions": { method: "POST", handle: actions },
  "/livez": { method: "GET", handle: (site, request, response) => health(site, request, response, "live") },
  "/readyz": { method: "GET", handle: (site, request, response) => health(site, request, response, "ready") },
};
/** Those that a prober asks by an address or a name of its own. They tell a page of another site nothing but the status. */
const PROBES = ["/livez", "/readyz"];

/** `url`: what is asked for, from the page's own address on. */
export async function answer(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
): Promise<void> {
  secure(response);
  const { path, query } = locate(url);
  const isRefused = refusal(request, site.access, path === "/");
  if (isRefused !== undefined && !PROBES.includes(path)) return refuse(response, isRefused);
  const asset = site.assets.get(path);
  const route = ROUTES[path];
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (asset === undefined && !Object.hasOwn(ROUTES, path)) {
    return refuse(response, { status: 404, code: "ERR_NOT_FOUND", message: "there is no such page" });
  }
  const allowed = route?.method ?? "GET";
  if (method !== allowed) {
    response.setHeader("allow", allowed === "GET" ? "GET, HEAD" : allowed);
    return refuse(response, { status: 405, code: "ERR_METHOD", message: `only ${allowed} is possible here` });
  }
  if (asset !== undefined) send(response, 200, asset.type, asset.body);
  else await route?.handle(site, request, response, query);
}

/** Two or more slashes count as one. */
function locate(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const [path = "", query = ""] = url.split("?", 2);
  return { path: path.replace(/\/{2,}/g, "/"), query: new URLSearchParams(query) };
}

function health(site: Site, request: IncomingMessage, response: ServerResponse, question: "live" | "ready"): void {
  const { problems, ...answers } = site.system.health();
  const mayKnow = refusal(request, site.access, false) === undefined;
  sendJson(response, answers[question] ? 200 : 503, mayKnow ? { ...answers, problems } : answers);
}

async function metrics({ registry }: Site, _: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await registry.metrics();
  send(response, 200, registry.contentType, text);
}

/** Of the other node's refusals, what they are in HTTP. */
const STATUS: Readonly<Record<string, number>> = {
  ERR_NOT_ALLOWED: 403,
  ERR_NO_CONNECTION: 502,
  ERR_NODE_INCOMPATIBLE: 502,
  ERR_CALL_EXIT: 502,
  ERR_CALL_TIMEOUT: 504,
};

async function treePart(site: Site, _: IncomingMessage, response: ServerResponse, query: URLSearchParams) {
  const from = query.get("from") ?? "0";
  const node = query.get("node") ?? "";
  if (!/^\d{1,9}$/.test(from)) {
    return refuse(response, { status: 400, code: "ERR_REQUEST", message: "from must be the number of a line" });
  }
  try {
    const part = await site.nodes?.part(node, Number(from));
    if (part !== undefined) return sendJson(response, 200, part);
    refuse(response, { status: 404, code: "ERR_NOT_FOUND", message: "there is no such node" });
  } catch (error) {
    const { code = "ERR_NODE", message } = error as { code?: string; message: string };
    refuse(response, { status: STATUS[code] ?? 502, code, message });
  }
}

function children({ system }: Site, _: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const answer = membersPage(system, query);
  if (answer.status === 200) sendJson(response, 200, answer.part);
  else refuse(response, answer);
}

function events(site: Site, request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  if (site.viewers.full) {
    response.setHeader("retry-after", "10");
    refuse(response, { status: 503, code: "ERR_TOO_MANY_VIEWERS", message: "there are too many open event streams" });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  // When a browser reconnects by itself, its header is newer than the query of the address.
  const last = request.headers["last-event-id"] ?? query.get("since") ?? "";
  const eventSeq = /^\d{1,15}$/.test(String(last)) ? Number(last) : undefined;
  site.viewers.add(request, response, { eventSeq, actor: query.get("actor") ?? undefined });
}

function checkToken({ token }: Site, request: IncomingMessage, response: ServerResponse): void {
  if (!hasToken(request, token)) return refuseToken(response);
  response.writeHead(204).end();
}

function refuseToken(response: ServerResponse): void {
  response.setHeader("www-authenticate", "Bearer");
  refuse(response, { status: 401, code: "ERR_TOKEN", message: "this needs the observer's token" });
}

async function actions(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { system, watch, token } = site;
  if (!hasToken(request, token)) return refuseToken(response);
  // A form of another site cannot send this type without a preflight request.
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return refuse(response, { status: 415, code: "ERR_TYPE", message: "the body must be application/json" });
  }
  const { action, id } = ((await readJson(request, MOST_REQUEST_BYTES)) ?? {}) as { action?: unknown; id?: unknown };
  if (typeof id !== "string" || !ACTIONS.includes(action as ActionName)) {
    const message = `the body must be { "id": <path>, "action": ${ACTIONS.map((name) => `"${name}"`).join(" | ")} }`;
    return refuse(response, { status: 400, code: "ERR_REQUEST", message });
  }
  try {
    watch.acted(String(action), id.slice(0, 1000));
    await act(system, action as ActionName, id);
    sendJson(response, 200, { done: action, id });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const { code, message } = error;
    sendJson(response, code === "ERR_NOT_FOUND" ? 404 : 409, { code, message });
  }
}
