import type { ResourceSpec } from "@mini-otp/runtime";

/** An actor that is supervised here and runs on another node, as `ResourceSpec`. */
export interface RemoteSpec extends Omit<ResourceSpec, "kind" | "start" | "stop"> {
  readonly id: string;
  /** What the other node's `offers` calls it. */
  readonly offer: string;
  /** A node, or the labels that a node must have; of several, one in turn. */
  readonly on: { readonly node: string } | { readonly anyOf: Readonly<Record<string, string>> };
  readonly args?: unknown;
}
