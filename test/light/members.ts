import {
  type ActorSpec,
  dynamicSupervisor,
  type PartitionedSupervisorRef,
  type SystemOptions,
  type ThreadsOptions,
} from "@mini-otp/runtime";
import { testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

export const actor = new URL("./fixtures/member.actor.js", import.meta.url);

export interface MembersOptions {
  readonly threads?: ThreadsOptions;
  readonly template?: Partial<ActorSpec>;
  /** More of the supervisor's spec. */
  readonly more?: object;
  readonly system?: SystemOptions;
}

/** A system with a supervisor "members" of light actors, which are Members unless the template says otherwise. */
export async function lightMembers({ threads = {}, template = {}, more = {}, system: ofSystem }: MembersOptions) {
  const spec = dynamicSupervisor({ id: "members", threads, template: { actor, ...template }, ...more });
  const system = await testSystem({ children: [spec], ...ofSystem });
  const supervisor = system.child("members") as unknown as PartitionedSupervisorRef<any>;
  const start = (id?: string, args?: unknown, rest: object = {}) =>
    supervisor.startChild<typeof Member>({ ...(id === undefined ? {} : { id }), args: args as never, ...rest });
  return { system, supervisor, start };
}

export const codeOf = (error: { code?: string }): string | undefined => error.code;
