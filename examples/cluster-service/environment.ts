import type { NatsOptions } from "@mini-otp/cluster";
import { UsageError } from "../command-line.js";

/** What the program reads of its environment, and what each is for. The deployment files give these, and no others. */
export const ENVIRONMENT = {
  CLUSTER: "name of the cluster",
  NODE_NAME: "name of this node, which no other has",
  NATS_SERVERS: "URLs, with commas between them",
  NATS_CREDS: "path of a .creds file",
  NATS_PASSWORD: "in the place of creds: password of the user with the node's name",
  OBSERVER_PORT: "where /livez, /readyz and /metrics are answered",
} as const;

type Environment = Partial<Record<keyof typeof ENVIRONMENT, string>>;

export interface ServiceOptions {
  readonly nats: NatsOptions;
  readonly port: number;
}

/** Throws a UsageError that names what is missing. The rest is checked by `joinCluster`. */
export function serviceOptions(environment: Environment): ServiceOptions {
  const { NATS_CREDS: creds, NATS_PASSWORD: pass, OBSERVER_PORT = "4000" } = environment;
  const needed = (name: keyof typeof ENVIRONMENT): string => {
    const value = environment[name];
    if (value === undefined || value === "") throw new UsageError(`${name} is not set: ${ENVIRONMENT[name]}`);
    return value;
  };
  const node = needed("NODE_NAME");
  const auth = creds !== undefined ? { creds } : pass !== undefined ? { user: node, pass } : undefined;
  const nats = {
    cluster: needed("CLUSTER"),
    node,
    servers: needed("NATS_SERVERS").split(","),
    ...(auth === undefined ? {} : { auth }),
  };
  return { nats, port: Number(OBSERVER_PORT) };
}
