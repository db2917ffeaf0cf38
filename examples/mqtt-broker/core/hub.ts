import type { Connection } from "./connection.js";
import type { Message, Subscription, Will } from "./message.js";

/** The way to one client, as its connection sees it: a socket, or a stand-in for one. */
export interface Wire {
  write(bytes: Uint8Array): void;
  /** Bytes that the client has not taken yet. */
  readonly buffered: number;
  pause(): void;
  resume(): void;
  /** Closes it after what was written has been taken. */
  end(): void;
  destroy(): void;
}

/** The rest of the broker, as a connection sees it. Nothing here blocks. */
export interface Hub {
  /** Asks for the client's name, and the session that is kept under it. `granted` is called once it has it. */
  claim(connection: Connection, claim: Claim): void;
  /** False while there is no room: `resume` is called when there is again, and the message is not taken before. */
  publish(connection: Connection, message: Message): boolean;
  /** `confirmed` is called once messages that are published from now on reach this client. */
  subscribe(connection: Connection, subscriptions: readonly Subscription[]): void;
  unsubscribe(connection: Connection, filters: readonly string[]): void;
  /** It has closed. `will`: it is to be published. `keepMs`: so long its session is kept, 0 not at all. */
  left(connection: Connection, how: Leaving): void;
}

export interface Leaving {
  readonly will: boolean;
  readonly keepMs: number;
  /** Another connection has the client's name and the session. */
  readonly handedOver: boolean;
}

export interface Claim {
  readonly clientId: string;
  /** A session that was kept is dropped. */
  readonly clean: boolean;
  readonly will: Will | null;
}

/** What a partition counts over all its connections. */
export interface Counts {
  received: number;
  sent: number;
  dropped: number;
  malformed: number;
}
