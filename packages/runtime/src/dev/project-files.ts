import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { reachOf } from "./import-graph.js";
import { importSpecifiers } from "./import-specifiers.js";
import { SpecifierResolver } from "./specifier-resolver.js";

interface ProjectFile {
  /** Where it really is: Node resolves what it imports from there. */
  readonly place: string;
  /** Of its contents. */
  readonly hash: string;
  readonly changedAtMs: number;
  readonly imports: readonly string[];
}

export interface Reread {
  readonly changed: Set<string>;
  readonly gone: string[];
}

const NOTHING: readonly string[] = [];

/** The files that actors' modules are made of, as they were when last read. */
export class ProjectFiles {
  readonly #resolver = new SpecifierResolver();
  /** Undefined: there was no such file, and never has been. */
  readonly #files = new Map<string, ProjectFile | undefined>();
  /** Files that were there, and are not now. They keep what they had, so that they come back unchanged or changed. */
  readonly #gone = new Set<string>();
  /** Called with each folder before a file in it is read, so that no change is missed between the two. */
  readonly #watch: (folder: string) => void;

  constructor(watch: (folder: string) => void) {
    this.#watch = watch;
  }

  readonly imports = (file: string): readonly string[] => this.#files.get(file)?.imports ?? NOTHING;

  /** Whether it is there, or has been. */
  isKnown(file: string): boolean {
    return this.#files.get(file) !== undefined;
  }

  /** Since when the file has been as it is, in ms since 1970; 0 when there is none. */
  changedAtMs(file: string): number {
    return this.#files.get(file)?.changedAtMs ?? 0;
  }

  /** Reads what these files import and has not been read, and so on, and forgets the files that nothing here imports. */
  async follow(entries: Iterable<string>): Promise<void> {
    let unread = [...reachOf(entries, this.imports)].filter((file) => !this.#files.has(file));
    while (unread.length > 0) {
      await Promise.all(unread.map((file) => this.#read(file)));
      unread = [...reachOf(unread, this.imports)].filter((file) => !this.#files.has(file));
    }
    const reached = reachOf(entries, this.imports);
    for (const file of this.#files.keys()) {
      if (reached.has(file)) continue;
      this.#files.delete(file);
      this.#gone.delete(file);
    }
  }

  /** The folders of all files, and of those that links among them lead to. */
  get folders(): Set<string> {
    const folders = new Set<string>();
    for (const [file, known] of this.#files) {
      folders.add(dirname(file));
      if (known !== undefined) folders.add(dirname(known.place));
    }
    return folders;
  }

  /** Reads the files in these folders again. */
  async reread(folders: ReadonlySet<string>): Promise<Reread> {
    this.#resolver.forget();
    const changed = new Set<string>();
    const gone: string[] = [];
    const touched = [...this.#files].filter(
      ([file, known]) => folders.has(dirname(file)) || (known !== undefined && folders.has(dirname(known.place))),
    );
    await Promise.all(
      touched.map(async ([file, former]) => {
        const wasGone = this.#gone.has(file);
        if (await this.#read(file)) {
          if (this.#files.get(file)?.hash !== former?.hash) changed.add(file);
        } else if (former !== undefined && !wasGone) {
          gone.push(file);
        }
      }),
    );
    return { changed, gone };
  }

  /** False when there is no such file. Never rejects. */
  async #read(file: string): Promise<boolean> {
    this.#watch(dirname(file));
    try {
      const place = await realpath(file);
      if (place !== file) this.#watch(dirname(place));
      const contents = await readFile(place);
      // Afterwards: what is saved between the two seems to be saved twice, and is not missed.
      const { mtimeMs } = await stat(place);
      this.#gone.delete(file);
      // An editor has emptied it, and is about to write it.
      if (contents.length === 0 && this.#files.get(file) !== undefined) return true;
      const specifiers = isCode(place) ? importSpecifiers(contents.toString("utf8")) : NOTHING;
      const found = await Promise.all(specifiers.map((specifier) => this.#resolver.resolve(specifier, place)));
      const hash = createHash("sha256").update(contents).digest("base64");
      this.#files.set(file, { place, hash, changedAtMs: mtimeMs, imports: found.flat() });
      return true;
    } catch {
      // ENOENT, EISDIR, EACCES: what cannot be read is not there.
      const known = this.#files.get(file);
      if (known === undefined) this.#files.set(file, undefined);
      else this.#gone.add(file);
      return false;
    }
  }
}

function isCode(file: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(file);
}
