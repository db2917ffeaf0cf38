import { gunzipSync } from "node:zlib";
import { defineActor } from "@mini-otp/worker-host";

/** The mistake that many services have: a text of many "a" and another letter takes it exponential time. */
const LABEL = /^(a+)+$/;

/** Looks into an upload as a service would that trusts its users too much: it bounds nothing itself. */
export default defineActor({
  handlers: {
    scan(_ctx, upload: Uint8Array): { names: number; labelled: boolean } {
      const { label, names, repeat } = JSON.parse(gunzipSync(upload).toString()) as Upload;
      // What a file says of itself is believed.
      const all: string[][] = [];
      for (let i = 0; i < repeat; i++) all.push(names.map((name) => `${name}-${i}`));
      return { names: all.length * names.length, labelled: LABEL.test(label) };
    },
  },
});

export interface Upload {
  readonly label: string;
  readonly names: readonly string[];
  readonly repeat: number;
}
