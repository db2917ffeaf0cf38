import { type IncomingMessage, request } from "node:http";
import { onTestFinished } from "vitest";

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: any;
}

/** An event stream that is read as it comes. */
export class EventStream {
  readonly received: ServerSentEvent[] = [];
  bytes = 0;
  ended = false;
  readonly #response: IncomingMessage;
  #rest = "";

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => this.#take(chunk));
    for (const end of ["close", "error"]) {
      response.on(end, () => {
        this.ended = true;
      });
    }
  }

  static async open(url: string, path = "/api/events", headers: Record<string, string> = {}): Promise<EventStream> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(new URL(path, url), { headers, agent: false }, resolve).on("error", reject).end();
    });
    const stream = new EventStream(response);
    onTestFinished(() => stream.close());
    return stream;
  }

  of(event: string): any[] {
    return this.received.filter((each) => each.event === event).map(({ data }) => data);
  }

  get events(): any[] {
    return this.of("message");
  }

  /** The tree as a reader knows it that has put all updates together. */
  row(id: string): any {
    return this.of("tree")
      .flatMap(({ rows }) => rows)
      .findLast((row: { id: string }) => row.id === id);
  }

  get status(): number | undefined {
    return this.#response.statusCode;
  }

  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#response.destroy();
  }

  #take(chunk: string): void {
    this.bytes += chunk.length;
    const blocks = (this.#rest + chunk).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
      const data = JSON.parse(field("data") ?? "null");
      this.received.push({ event: field("event") ?? "message", id: field("id"), data });
    }
  }
}
