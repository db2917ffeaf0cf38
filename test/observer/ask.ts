import { type IncomingMessage, request } from "node:http";
import { type Observer, type ObserverOptions, startObserver } from "@mini-otp/metrics";
import type { ActorSystem } from "@mini-otp/runtime";
import { onTestFinished } from "vitest";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: any;
}

/** An observer that is closed when the test ends. */
export async function observe(system: ActorSystem, options: ObserverOptions = {}): Promise<Observer> {
  const observer = await startObserver(system, options);
  onTestFinished(() => observer.close());
  return observer;
}

/** Asks as no browser would: with any `Host`, any method, any path. */
export function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const { method = "GET", headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const asked = request({ hostname: hostname.replace(/^\[|\]$/g, ""), port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const isJson = /json/.test(response.headers["content-type"] ?? "");
        const json = isJson && text !== "" ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

export function act({ url }: Observer, token: string | undefined, action: string, id: string): Promise<Answer> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return ask(url, "/api/actions", {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify({ action, id }),
  });
}
