// Removes every dist/ of the workspace, so that the next build starts from nothing.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name));
for (const project of [...packages, "bench", "examples", "test"]) {
  rmSync(join(root, project, "dist"), { recursive: true, force: true });
}
