import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

interface Watched {
  readonly watcher: FSWatcher;
  /** The folder itself, or the nearest above it that there is: it will tell when the folder comes. */
  readonly anchor: string;
  /** Tells the folder from another that takes its name. */
  readonly identity: string;
  /** What is watched may be gone, although another thing has its name by now. */
  isStale: boolean;
}

/**
 * Watches folders, not files: an editor that saves by renaming gives the name to another file. By the platform:
 * inotify on Linux, FSEvents on macOS (which tells about 50 ms later), ReadDirectoryChangesW on Windows; the name of a
 * file may be missing, so that all files of the folder are suspect. What is watched does not keep the process alive.
 */
export class WatchedFolders {
  readonly #watched = new Map<string, Watched | undefined>();
  readonly #changed: (folder: string) => void;
  readonly #failed: (folder: string, error: unknown) => void;
  #closed = false;

  /** `changed` is called in a turn of the event loop of its own. `failed`: a folder cannot be watched. */
  constructor(changed: (folder: string) => void, failed: (folder: string, error: unknown) => void) {
    this.#changed = changed;
    this.#failed = failed;
  }

  get count(): number {
    return this.#watched.size;
  }

  /** Watches a folder from now on. Does nothing when it is watched. */
  add(folder: string): void {
    if (this.#closed || this.#watched.has(folder)) return;
    this.#watched.set(folder, this.#open(folder, folder));
  }

  /** Watches no others any more. */
  keepOnly(folders: ReadonlySet<string>): void {
    for (const [folder, watched] of this.#watched) {
      if (folders.has(folder)) continue;
      this.#watched.delete(folder);
      watched?.watcher.close();
    }
  }

  /** Watches anew what was removed, renamed or made since. Returns those folders: what is in them may have changed. */
  renew(): string[] {
    const renewed: string[] = [];
    for (const [folder, watched] of this.#watched) {
      // One that is watched from above may have come meanwhile, or what it is in.
      const isWhole = watched?.anchor === folder && !watched.isStale;
      if (isWhole && watched.identity === identityOf(folder)) continue;
      watched?.watcher.close();
      this.#watched.set(folder, this.#open(folder, folder));
      renewed.push(folder);
    }
    return renewed;
  }

  close(): void {
    this.#closed = true;
    for (const watched of this.#watched.values()) watched?.watcher.close();
    this.#watched.clear();
  }

  #open(folder: string, anchor: string): Watched | undefined {
    try {
      const watcher = watch(anchor, { persistent: false });
      const watched: Watched = { watcher, anchor, identity: identityOf(anchor) ?? "", isStale: false };
      watcher.on("change", (event, name) => {
        // inotify tells of the end of a folder by the folder's own name, which one of its files may have too.
        if (event === "rename" && (name === null || name === basename(anchor))) watched.isStale = true;
        this.#changed(folder);
      });
      watcher.on("error", () => {
        // Windows, when the folder is removed: EPERM.
        watched.isStale = true;
        this.#changed(folder);
      });
      return watched;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT" && dirname(anchor) !== anchor) return this.#open(folder, dirname(anchor));
      // ENOSPC and EMFILE: the machine watches all that it may. The files are read only as far as other events say so.
      this.#failed(folder, error);
      return undefined;
    }
  }
}

/** Undefined when there is no such folder. The inode's number alone may be that of the next folder that is made. */
function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino, birthtimeMs } = statSync(folder);
    return `${dev} ${ino} ${birthtimeMs}`;
  } catch {
    return undefined;
  }
}
