import { nkeys } from "@nats-io/transport-node";

type Key = ReturnType<typeof nkeys.createUser>;

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");

/** A JWT as an operator of NATS makes it. */
function jwt(issuer: Key, subject: Key, name: string, nats: object): string {
  const head = base64(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const [iss, sub] = [issuer.getPublicKey(), subject.getPublicKey()];
  const claims = {
    jti: base64(sub),
    iat: Math.floor(Date.now() / 1000),
    iss,
    name,
    sub,
    nats: { ...nats, version: 2 },
  };
  const body = base64(JSON.stringify(claims));
  return `${head}.${body}.${base64(issuer.sign(Buffer.from(`${head}.${body}`)))}`;
}

const NO_LIMIT = { subs: -1, data: -1, payload: -1 };
const ACCOUNT_LIMITS = { ...NO_LIMIT, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORAGE = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** An operator with one account: what stands in the server's configuration, and the `.creds` of one of its users. */
export function operatorWithUser(name: string): { readonly config: string; readonly creds: string } {
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const user = nkeys.createUser();
  const accountOf = (key: Key, of: string, limits: object): string =>
    jwt(operator, key, of, { type: "account", limits: { ...ACCOUNT_LIMITS, ...limits } });
  const config = [
    "jetstream: enabled",
    `operator: ${jwt(operator, operator, "operator", { type: "operator" })}`,
    `system_account: ${system.getPublicKey()}`,
    "resolver: MEMORY",
    "resolver_preload: {",
    `  ${account.getPublicKey()}: ${accountOf(account, "shop", STORAGE)}`,
    `  ${system.getPublicKey()}: ${accountOf(system, "SYS", {})}`,
    "}",
  ].join("\n");
  const token = jwt(account, user, name, { type: "user", ...NO_LIMIT });
  const seed = new TextDecoder().decode(user.getSeed());
  const creds = [
    "-----BEGIN NATS USER JWT-----",
    token,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seed,
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
  return { config, creds };
}
