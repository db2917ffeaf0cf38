import type { ActorDefinition } from "../actor/define-actor.js";
import type { HandlerTable } from "../loop/handler-table.js";
import type { MemberSpec } from "../protocol/port/partition.js";

export type { MemberSpec };

/** What members of the same spec share. */
export interface MemberType {
  readonly spec: MemberSpec;
  readonly definition: ActorDefinition<any, any, any>;
  readonly handlers: HandlerTable;
  readonly survivesThrows: boolean;
}
