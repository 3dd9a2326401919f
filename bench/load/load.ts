/**
 * What the kinds of load have in common.
 */

/** A load under way; it keeps its number of messages in flight until it is told to stop. */
export interface Load {
  start(): void;
  /** Sends nothing more. `done` follows when all that was sent has arrived, exactly once. */
  stop(done: () => void): void;
  /** What is still missing, in words, for the error when `done` does not come. */
  missing(): string;
}
