import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

export interface ProjectFolder {
  readonly path: string;
  url(file: string): URL;
  /** Writes a file, with the folders that it is in. */
  write(file: string, text: string): void;
}

/** A folder for a test's own modules, which may import this project's packages. It is removed when the test ends. */
export function projectFolder(): ProjectFolder {
  const path = realpathSync(mkdtempSync(join(import.meta.dirname, "project-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return {
    path,
    url: (file) => pathToFileURL(join(path, file)),
    write(file, text) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    },
  };
}
