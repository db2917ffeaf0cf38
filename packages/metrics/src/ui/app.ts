import { Actions } from "./actions.js";
import { ActorPage } from "./actor-page.js";
import { byId, setText } from "./dom.js";
import { EventFeed } from "./event-feed.js";
import { count, duration, megabytes, percent, perSecond } from "./format.js";
import { type Change, type Connection, Live } from "./live.js";
import { NodeMenu } from "./nodes.js";
import { ProcessPage } from "./process-page.js";
import { parseRoute, type Route, takeToken } from "./route.js";
import { installTheme } from "./theme.js";
import { TreePage } from "./tree-page.js";

const CONNECTION_TEXT: Readonly<Record<Connection, string>> = {
  connecting: "connecting",
  live: "live",
  stale: "no news",
  lost: "disconnected",
};

const token = takeToken();
const live = new Live((changes) => update(changes));
const actions = new Actions(token);
const tree = new TreePage(live);
const nodes = new NodeMenu((other) => tree.show(other));
const feed = new EventFeed();
const actorPage = new ActorPage(live, actions);
const processPage = new ProcessPage(live);
let route: Route = { page: "tree" };
let isRendered = false;

installTheme(byId<HTMLButtonElement>("theme"), () => {
  actorPage.redraw();
  processPage.redraw();
});

function update(changes: ReadonlySet<Change>): void {
  if (changes.has("hello") && live.hello?.nodes === true) nodes.start();
  if (changes.has("hello") || changes.has("connection") || changes.has("tree")) showStatus();
  if (changes.has("tree")) {
    tree.render();
    actorPage.render();
    if (!isRendered) requestAnimationFrame(() => performance.mark("tree-rendered"));
    isRendered = true;
  }
  if (changes.has("events")) {
    const { events, skipped } = live.takeEvents();
    feed.add(events, skipped);
  }
  if (changes.has("process")) {
    showTotals();
    processPage.render();
  }
  if (changes.has("history")) {
    actorPage.showHistory();
    processPage.showHistory();
  }
  if (changes.has("actor")) actorPage.showNews();
}

function showStatus(): void {
  const name = live.hello?.name ?? "";
  setText(byId("system-name"), name);
  document.title = `${name} · mini-otp`;
  const status = byId("connection");
  const stopped = live.system === "stopped" && live.connection === "live";
  setText(status, stopped ? "system stopped" : CONNECTION_TEXT[live.connection]);
  status.dataset.connection = stopped ? "stopped" : live.connection;
  document.body.classList.toggle("out-of-date", live.connection === "lost" || live.connection === "stale");
}

function showTotals(): void {
  const { process } = live;
  if (process === undefined) return;
  const { events } = process.totals;
  const totals: Record<string, string> = {
    actors: count(process.actors),
    restarts: count(events.actor_restarted ?? 0),
    handled: perSecond(process.handledPerSecond),
    waiting: count(process.waiting),
    dead: count(process.deadLetters),
    memory: megabytes(process.rssMb),
    cpu: percent(process.cpuPercent),
    loop: duration(process.loopDelay.p99Ms),
  };
  for (const [name, value] of Object.entries(totals)) setText(byId(`total-${name}`), value);
}

function navigate(): void {
  const before = route;
  route = parseRoute(location.hash);
  document.body.dataset.page = route.page;
  const id = route.page === "node" ? route.id : undefined;
  byId("process-page").hidden = route.page !== "process";
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
    const isCurrent = link.dataset.page === (route.page === "node" ? "tree" : route.page);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  live.follow(id);
  tree.select(id);
  actorPage.open(id);
  processPage.render();
  processPage.showHistory();
  if (id !== undefined) byId("node-title").focus({ preventScroll: true });
  else if (before.page === "node" && route.page === "tree") tree.focus(before.id);
}

addEventListener("hashchange", navigate);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || route.page !== "node" || document.querySelector("dialog[open]") !== null) return;
  location.hash = "#/";
});
setInterval(() => {
  tree.age();
  actorPage.render();
}, 1000);
navigate();
