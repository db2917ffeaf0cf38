export type Route =
  | { readonly page: "tree" }
  | { readonly page: "node"; readonly id: string }
  | { readonly page: "events" }
  | { readonly page: "process" };

export function hrefOf(route: Route): string {
  switch (route.page) {
    case "tree":
      return "#/";
    case "node":
      return `#/node/${encodeURIComponent(route.id)}`;
    default:
      return `#/${route.page}`;
  }
}

/** An unknown page is the tree. */
export function parseRoute(hash: string): Route {
  const [page = "", rest] = hash.replace(/^#\/?/, "").split("/", 2);
  if (page === "events" || page === "process") return { page };
  if (page !== "node" || rest === undefined) return { page: "tree" };
  try {
    return { page: "node", id: decodeURIComponent(rest) };
  } catch {
    return { page: "tree" };
  }
}

/**
 * Reads `#token=…`, as the observer prints it, and removes it from the address bar. It is never sent with a request for
 * a page.
 */
export function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return undefined;
  history.replaceState(null, "", "#/");
  return token;
}
