import { relative } from "node:path";
import { describe } from "@mini-otp/worker-host/protocol/errors";
import { ActorChild } from "../actor/actor-child.js";
import type { Directory } from "../directory/directory.js";
import type { Events } from "../reporting/events.js";
import type { Log } from "../reporting/log.js";
import type { Reloadable } from "../threads/reloadable.js";
import { reachOf, touchedModules } from "./import-graph.js";
import { filesOf, keyOf, liveFilesOf } from "./module-files.js";
import { ProjectFiles } from "./project-files.js";
import { type ReloadReport, Reloads } from "./reloads.js";
import { WatchedFolders } from "./watched-folders.js";

/** A save is several events: the file is emptied, written in parts, renamed. This long after the last one it is over. */
const SETTLED_MS = 20;
/** A folder in which something is written all the time is looked at all the same. */
const MOST_MS = 100;
/** The clock of a file's time may be behind by a tick of the kernel's: 10 ms at 100 Hz. */
const TICK_MS = 10;

export interface DevelopmentParts {
  readonly directory: Directory;
  readonly events: Events;
  readonly logger: Log;
}

/** What runs one module at the moment. */
interface InUse {
  readonly files: readonly string[];
  readonly actors: Reloadable[];
  /** The files whose saved change goes into the living actors; undefined where that is each file, with what it imports. */
  readonly live: readonly string[] | undefined;
  /** Paths of what runs it in threads that are not upgraded; of partitions, too, which are in part. */
  readonly others: string[];
}

/**
 * Puts saved changes of actors' modules into the living actors. It goes through all actors, but only when a file was
 * saved or a module is new; an event of an actor costs one look into a table. Nothing here throws into what it listens to.
 */
export class Development {
  readonly #parts: DevelopmentParts;
  readonly #folders: WatchedFolders;
  readonly #files: ProjectFiles;
  readonly #reloads: Reloads;
  /** The modules that are watched, by URL, or path for what is started by a path. */
  #known = new Set<string>();
  /** Those that are not yet, with the time when the first of their actors had started, in ms since 1970. */
  readonly #fresh = new Map<string, number>();
  readonly #stirred = new Set<string>();
  readonly #unwatched = new Set<string>();
  readonly #stopListening: readonly (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #firstAt = 0;
  #isLooking = false;
  #closed = false;

  constructor(parts: DevelopmentParts) {
    this.#parts = parts;
    this.#folders = new WatchedFolders(
      (folder) => {
        this.#stirred.add(folder);
        this.#soon();
      },
      (folder, error) => this.#cannotWatch(folder, error),
    );
    this.#files = new ProjectFiles((folder) => this.#folders.add(folder));
    this.#reloads = new Reloads((report) => this.#tell(report));
    const { events } = parts;
    this.#stopListening = [
      events.on("actor_started", ({ id }) => this.#started(id)),
      events.on("actor_restarted", ({ id }) => this.#started(id)),
      events.on("actor_upgraded", ({ id }) => this.#started(id)),
    ];
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stopListening) stop();
    this.#folders.close();
    this.#reloads.close();
  }

  /** Also for pools, and for partitions of light actors. */
  #started(id: string): void {
    const found = this.#parts.directory.at(id);
    const key = found === undefined ? undefined : keyOf(found);
    if (key === undefined) return;
    if (found instanceof ActorChild) this.#reloads.started(found.reloadedBy);
    if (this.#known.has(key) || this.#fresh.has(key)) return;
    this.#fresh.set(key, Date.now());
    this.#soon();
  }

  #soon(): void {
    if (this.#closed) return;
    const now = performance.now();
    if (this.#timer === undefined) this.#firstAt = now;
    clearTimeout(this.#timer);
    const delayMs = Math.min(SETTLED_MS, Math.max(0, this.#firstAt + MOST_MS - now));
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref();
  }

  /** One at a time. What stirs meanwhile is looked at afterwards. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#timer = undefined;
    try {
      await this.#lookAtChanges();
    } catch (error) {
      this.#parts.logger.error({ err: error }, `dev.watch: a change was not looked at: ${describe(error)}`);
    }
    this.#isLooking = false;
    if (this.#stirred.size > 0 || this.#fresh.size > 0) this.#soon();
  }

  async #lookAtChanges(): Promise<void> {
    const folders = new Set([...this.#stirred, ...this.#folders.renew()]);
    this.#stirred.clear();
    const fresh = new Map(this.#fresh);
    this.#fresh.clear();
    const inUse = this.#inUse();
    this.#known = new Set(inUse.keys());
    const { changed, gone } = await this.#files.reread(folders);
    await this.#files.follow([...inUse.values()].flatMap(({ files }) => files));
    if (this.#closed) return;
    this.#folders.keepOnly(this.#files.folders);
    const modules = [...inUse.values()].map((use) => [use, use.files] as const);
    for (const [key, startedAtMs] of fresh) {
      const use = inUse.get(key);
      if (use === undefined) continue;
      const [first] = use.files;
      if (first !== undefined && !use.files.some((file) => this.#files.isKnown(file))) gone.push(first);
      // What was saved while the first thread loaded it may not be what that thread has loaded.
      for (const file of reachOf(use.files, this.#files.imports)) {
        if (this.#files.changedAtMs(file) >= startedAtMs - TICK_MS) changed.add(file);
      }
    }
    for (const [use, file] of touchedModules(modules, this.#files.imports, changed)) this.#changed(use, file, changed);
    for (const file of gone) this.#tellOfGone(file);
  }

  #changed({ files, actors, live, others }: InUse, first: string, changed: ReadonlySet<string>): void {
    const isStale = (file: string): boolean => changed.has(file) && live?.includes(file) === false;
    if (actors.length > 0 && !isStale(first)) this.#reloads.request(first, actors);
    if (others.length === 0) return;
    const stale = live === undefined ? first : [...reachOf(files, this.#files.imports)].find(isStale);
    if (stale !== undefined) this.#tellOfOthers(stale, others);
  }

  /** Each module with what runs it, as it is now. */
  #inUse(): Map<string, InUse> {
    const { directory } = this.#parts;
    const found = new Map<string, InUse>();
    for (const child of [...directory.actors, ...directory.pools]) {
      const key = keyOf(child);
      if (key === undefined) continue;
      let use = found.get(key);
      if (use === undefined) {
        use = { files: filesOf(child), actors: [], live: liveFilesOf(child), others: [] };
        found.set(key, use);
      }
      if (!(child instanceof ActorChild)) use.others.push(child.id);
      else if (!use.actors.includes(child.reloadedBy)) use.actors.push(child.reloadedBy);
      if (use.live !== undefined) use.others.push(child.id);
    }
    return found;
  }

  #tell({ file, upgraded, kept, error, tookMs }: ReloadReport): void {
    const { logger } = this.#parts;
    const name = shown(file);
    const facts = { file, upgraded, kept, tookMs: Math.round(tookMs) };
    if (kept === 0) logger.info(facts, `${name} was saved: ${actors(upgraded)} upgraded`);
    else
      logger.warn(
        { ...facts, err: error },
        `${name} was saved, but ${actors(kept)} kept the old code: ${describe(error)}`,
      );
  }

  #tellOfOthers(file: string, ids: readonly string[]): void {
    const name = shown(file);
    this.#parts.logger.warn(
      { file, ids },
      `${name} was saved: the threads of ${ids.slice(0, 3).join(", ")} keep the old code until they are started anew`,
    );
  }

  #tellOfGone(file: string): void {
    this.#parts.logger.warn({ file }, `${shown(file)} is gone: actors that have loaded it keep it, a restart needs it`);
  }

  #cannotWatch(folder: string, error: unknown): void {
    if (this.#unwatched.has(folder)) return;
    this.#unwatched.add(folder);
    this.#parts.logger.warn({ folder, err: error }, `dev.watch: ${folder} cannot be watched: ${describe(error)}`);
  }
}

function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

function actors(count: number): string {
  return count === 1 ? "1 actor" : `${count} actors`;
}
