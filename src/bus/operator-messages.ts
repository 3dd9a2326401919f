/**
 * What the api worker asks gateway workers on behalf of operators: kinds of messages and their facts.
 *
 * Types and names only. Each gateway worker answers for its own connections; joining the answers is
 * the asker's business.
 */

/** Kinds of messages. */
export const OPERATOR_KINDS = {
  /** The next portion of a list: `ListFacts`; answered with `PortionFacts` and JSON rows between commas. */
  list: 'operator_list',
  /** Closes connections: `OperatorTarget`; answered with their number. */
  disconnect: 'operator_disconnect',
  /** Sends the bytes, as text, to connections: `OperatorTarget`; answered with how many took it. */
  push: 'operator_push',
  /** The counters of the whole node, as any of its workers sums them up. */
  stats: 'operator_stats',
} as const;

/** Rows in one portion: well below a millisecond of a worker's time. */
export const LIST_PORTION_ROWS = 500;

/** Which list, and where in it. */
export type ListFacts = {
  readonly list: 'connections' | 'channels';
  /** Only those in it; null: all. */
  readonly channel: string | null;
  /** As the portion before said; 0 begins. */
  readonly cursor: number;
};

/** A portion of a list. */
export type PortionFacts = {
  readonly rows: number;
  /** Asks for the next portion; 0: there is none. */
  readonly cursor: number;
  /** Too many lists are open, or this one was forgotten because nobody asked on. */
  readonly refused: boolean;
};

/** Which connections: all conditions that are not null hold. At least one is not. */
export type OperatorTarget = {
  readonly channel: string | null;
  readonly client: string | null;
  readonly connection: string | null;
};
