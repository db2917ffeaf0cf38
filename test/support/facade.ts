import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../../packages/mini-otp", import.meta.url));
const EXPORTS = `export { defineActor, ignore, ReplyError } from "@mini-otp/worker-host";
export * from "@mini-otp/runtime";
`;

/**
 * Makes `mini-otp` importable below `folder`, as an application that has installed it finds it. In a workspace without
 * that package it is the packages that it stands for.
 */
export function installFacade(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  if (existsSync(PACKAGE)) return symlinkSync(PACKAGE, join(modules, "mini-otp"), "junction");
  const own = join(modules, "mini-otp");
  mkdirSync(own);
  writeFileSync(join(own, "package.json"), '{ "name": "mini-otp", "type": "module", "exports": "./index.js" }\n');
  writeFileSync(join(own, "index.js"), EXPORTS);
  writeFileSync(join(own, "index.d.ts"), EXPORTS);
}
