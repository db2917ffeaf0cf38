/** The fields of a spec that name a module. */
const MODULES = ["actor", "filename"] as const;

/** A spec as a message carries it: a module that is named by a URL is named by the URL's text. */
export function portableSpec(spec: unknown): unknown {
  if (typeof spec !== "object" || spec === null) return spec;
  try {
    const portable: Record<string, unknown> = { ...spec };
    for (const field of MODULES) {
      const module = portable[field];
      if (module instanceof URL) portable[field] = module.href;
    }
    return portable;
  } catch {
    // A getter or a Proxy has thrown: the message that carries it refuses it, with its path.
    return spec;
  }
}
