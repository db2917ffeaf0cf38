import type { ActorContext, DeferredReply } from "../actor/context.js";
import { type ActorDefinition, defineActor, OTHERWISE } from "../actor/define-actor.js";
import { type ImportModule, loadFirst } from "../module/load-module.js";
import { ActorError } from "../protocol/errors/errors.js";
import { COMLINK_METHOD } from "../protocol/refs/remote.js";
import { Outgoing, WireValue } from "../protocol/refs/wire-value.js";
import { ComlinkEndpoints, type ComlinkRequest } from "./comlink-endpoints.js";

/**
 * The actor around the object that one of these modules exposes with comlink. When a method of the object throws, the
 * call rejects with that error, as with comlink; the object lives on.
 */
export async function comlinkActor(
  urls: readonly string[],
  importModule: ImportModule,
): Promise<ActorDefinition<any, any, any>> {
  const endpoints = new ComlinkEndpoints();
  endpoints.install();
  const { url } = await loadFirst(urls, importModule);
  if (!endpoints.exposed) {
    throw new ActorError("ERR_ACTOR_MODULE", `${url} exposes nothing (Comlink.expose(object), at its top level)`);
  }
  return {
    ...defineActor({
      handlers: {
        [COMLINK_METHOD]: (ctx: ActorContext, type: string, path: string[], ...args: unknown[]) =>
          handle(endpoints, ctx, type, path, args),
      },
    }),
    [OTHERWISE]: (ctx, method, args) => handle(endpoints, ctx, "APPLY", [method], args),
  };
}

async function handle(
  endpoints: ComlinkEndpoints,
  ctx: ActorContext,
  type: string,
  path: readonly string[],
  args: readonly unknown[],
) {
  const deferred = deferredReply(ctx);
  const raw = args.map((value) => ({ type: "RAW" as const, value }));
  const request: ComlinkRequest =
    type === "SET" ? { type, path, argumentList: [], value: raw[0] } : { type, path, argumentList: raw };
  const { name = "", value, transfer, ...answer } = await endpoints.request(request);
  if (answer.type === "HANDLER" && name === "throw") {
    const error = errorOf(value as { isError: boolean; value: unknown });
    if (deferred === undefined) ctx.log.warn(error, `${path.join(".")} threw, and no caller waits for it`);
    else deferred.fail(error);
    return;
  }
  deferred?.reply(new Outgoing(answer.type === "HANDLER" ? new WireValue(name, value) : value, transfer));
}

/** Undefined when the current message is not a call. */
function deferredReply(ctx: ActorContext): DeferredReply | undefined {
  try {
    return ctx.deferReply();
  } catch {
    return undefined;
  }
}

function errorOf({ isError, value }: { isError: boolean; value: unknown }): Error {
  if (!isError) return value as Error;
  const { message, ...facts } = value as Error;
  return Object.assign(new Error(message), facts);
}
