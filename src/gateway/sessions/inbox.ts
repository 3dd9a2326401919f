/**
 * What clients said and the application has not answered yet.
 *
 * Only the words: `session.ts` holds an inbox, `receive-callbacks.ts` fills and empties it.
 */

/** One message of a client, whole. */
export interface ClientMessage {
  readonly payload: Uint8Array;
  readonly binary: boolean;
}

/** What one client said and the application has not answered yet. */
export interface Inbox {
  readonly messages: ClientMessage[];
  bytes: number;
  /** Reading from the client is paused. */
  paused: boolean;
  /** Called once when nothing is left; set when the connection has ended. */
  whenEmpty: (() => void) | null;
}
