/**
 * What the gateway asks of the session journal, and what it gets back from an earlier run's.
 *
 * An interface and its words: `JournalWriter` keeps the promise on disk, `adoptJournals` reads it
 * back. From `written` on, a connection survives any `kill -9` of its worker or its node; nothing
 * is synced, so it does not survive a loss of power.
 */
import type { ConnectionId, SessionKey } from '../../base/index.ts';

/** A connection that the application has just admitted. */
export interface OpenedConnection {
  readonly connection: ConnectionId;
  readonly key: SessionKey;
  /** Wall clock, for people who read a journal. */
  readonly openedAtMs: number;
}

/** Why a connection ended, as its close callback says. */
export interface ConnectionEnd {
  readonly reason: string;
  readonly code: number;
}

/** A close callback that an earlier run owes and this run has to send. */
export interface OwedClose {
  readonly connection: ConnectionId;
  /** Null when that run died before it heard the application's answer, which may have been yes. */
  readonly key: SessionKey | null;
  /** What that run had noted, else `worker_lost` or `node_restarted`. */
  readonly reason: string;
  readonly code: number;
}

/** Called when a record is on disk, or with the reason why it is not and never will be. */
export type Written = (failure: Error | null) => void;

/** Notes which connections live, so that the end of each can be told by whoever comes next. */
export interface SessionJournal {
  /**
   * Notes that the application is about to be asked for a connection. From its answer on it may
   * believe in the connection, whether or not we live to read the answer, so this comes first;
   * `opened` or `closed` follows.
   */
  asked(connection: ConnectionId, written: Written): void;
  /**
   * Notes an admitted connection. All that is noted in one turn goes to disk with one system call
   * at its end, then the `written` are called in order. After a failure it is as if this had never
   * been said: a connection that was not asked for is unknown, and what is said about it is ignored.
   */
  opened(record: OpenedConnection, written: Written): void;
  /** Notes why the connection ended; a second reason is ignored. Its close callback is owed. */
  closing(connection: ConnectionId, end: ConnectionEnd): void;
  /** Notes that nothing is owed for the connection any more. */
  closed(connection: ConnectionId): void;
  /** Writes what is noted now instead of at the end of the turn; calls the `written` before it returns. */
  flush(): void;
  /** Flushes and gives the file back. A journal that owes nothing removes its file. */
  close(): void;
  /** Connections asked for or opened, and not closed. */
  readonly liveCount: number;
}
