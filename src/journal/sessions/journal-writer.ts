/**
 * The session journal of one worker run, kept in one append-only file.
 *
 * Collects a turn's records and writes them with one system call at its end. Admissions that the
 * disk refused are given back to the caller; ends of connections are never dropped: they are
 * written again with the next batch, or by a timer. Driven by the gateway and by `adoptJournals`.
 */
import {
  type Cancellable,
  type ConnectionId,
  LIMITS,
  type Logger,
  type SessionKey,
  type Timers,
} from '../../base/index.ts';
import type { JournalDisk } from './journal-disk.ts';
import { JournalFile } from './journal-file.ts';
import { JOURNAL_VERSION, type JournalRecord } from './record-codec.ts';
import type {
  ConnectionEnd,
  OpenedConnection,
  OwedClose,
  SessionJournal,
  Written,
} from './session-journal.ts';

/** An owed close with the moment its connection opened, which its record keeps. */
export interface AdoptedClose extends OwedClose {
  readonly openedAtMs: number;
}

/** A connection that is asked for or opened, and not closed. */
interface LiveConnection {
  /** Null until it is opened. */
  readonly key: SessionKey | null;
  /** The file has a record of it from before it was opened. */
  readonly asked: boolean;
  readonly openedAtMs: number;
  end: ConnectionEnd | null;
}

/** A record that waits for the end of the turn. */
interface PendingRecord {
  readonly record: Exclude<JournalRecord, { type: 'header' }>;
  /** Whether the record is dropped when the disk refuses it, or tried again until it is taken. */
  readonly keep: boolean;
  readonly written: Written | null;
}

/** What a journal needs to know and to be given. */
export interface JournalWriterOptions {
  readonly disk: JournalDisk;
  readonly path: string;
  readonly bootId: string;
  readonly slot: number;
  readonly run: number;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Size at which the file is rewritten if it holds mostly closed connections. */
  readonly compactBytes?: number;
}

/** Keeps the promise of `SessionJournal` on disk. */
export class JournalWriter implements SessionJournal {
  readonly #file: JournalFile;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #compactBytes: number;
  #live = new Map<ConnectionId, LiveConnection>();
  #pending: PendingRecord[] = [];
  #turnEndAwaited = false;
  #recordsInFile = 0;
  /** Raised after a failed rewrite, so that a full disk is not asked again with every turn. */
  #compactAtBytes: number;
  #retry: Cancellable | null = null;
  #failing = false;
  #closed = false;

  constructor(options: JournalWriterOptions) {
    const { disk, path, bootId, slot, run } = options;
    const header: JournalRecord = { type: 'header', version: JOURNAL_VERSION, bootId, slot, run };
    this.#file = new JournalFile({ disk, path, header });
    this.#timers = options.timers;
    this.#logger = options.logger;
    this.#compactBytes = options.compactBytes ?? LIMITS.journalCompactBytes;
    this.#compactAtBytes = this.#compactBytes;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  asked(connection: ConnectionId, written: Written): void {
    if (this.#closed) return this.#refuse(written);
    this.#live.set(connection, { ...ONLY_ASKED });
    this.#note({ record: { type: 'asked', connection }, keep: false, written });
  }

  opened(connection: OpenedConnection, written: Written): void {
    if (this.#closed) return this.#refuse(written);
    const { key, openedAtMs } = connection;
    const asked = this.#live.get(connection.connection)?.asked ?? false;
    this.#live.set(connection.connection, { key, asked, openedAtMs, end: null });
    this.#note({ record: openedRecord(connection), keep: false, written });
  }

  closing(connection: ConnectionId, end: ConnectionEnd): void {
    const live = this.#live.get(connection);
    if (live === undefined || live.end !== null || this.#closed) return;
    live.end = end;
    this.#note({ record: closingRecord(connection, end), keep: true, written: null });
  }

  closed(connection: ConnectionId): void {
    if (this.#closed || !this.#live.delete(connection)) return;
    this.#note({ record: { type: 'closed', connection }, keep: true, written: null });
  }

  /**
   * Takes over what earlier runs owe. `written` is called once all of it is on disk here, however
   * long the disk refuses: only then may the earlier runs' files go.
   */
  adopt(closes: readonly AdoptedClose[], written: () => void): void {
    for (const [index, close] of closes.entries()) {
      const { connection, key, openedAtMs, reason, code } = close;
      const last = index === closes.length - 1;
      this.#live.set(connection, { key, asked: false, openedAtMs, end: { reason, code } });
      const record = firstRecord({ connection, key, openedAtMs });
      this.#note({ record, keep: true, written: null });
      this.#note({ record: closingRecord(connection, close), keep: true, written: last ? written : null });
    }
    if (closes.length === 0) written();
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    const failure = this.#file.append(batch.map((pending) => pending.record));
    if (failure === null) this.#recovered(batch.length);
    else this.#refused(batch, failure);
    for (const { keep, written } of batch) {
      if (failure === null || !keep) written?.(failure);
    }
  }

  close(): void {
    this.flush();
    this.#closed = true;
    this.#retry?.cancel();
    this.#retry = null;
    this.#file.close({ remove: this.#live.size === 0 && this.#pending.length === 0 });
  }

  #refuse(written: Written): void {
    this.#timers.endOfTurn(() => written(new Error('the session journal is closed')));
  }

  #note(pending: PendingRecord): void {
    this.#pending.push(pending);
    if (this.#turnEndAwaited) return;
    this.#turnEndAwaited = true;
    this.#timers.endOfTurn(() => {
      this.#turnEndAwaited = false;
      if (!this.#closed) this.flush();
    });
  }

  #recovered(count: number): void {
    this.#recordsInFile += count;
    if (this.#failing) {
      this.#failing = false;
      this.#logger.info({}, 'the session journal can be written again');
    }
    this.#compactIfWorthwhile();
  }

  /** Forgets refused admissions together with all that was noted of them, and keeps the rest. */
  #refused(batch: readonly PendingRecord[], failure: Error): void {
    const forgotten = new Set<ConnectionId>();
    for (const { record, keep } of batch) {
      if (keep) continue;
      // The file says that it was asked for, so its end must be written too.
      if (record.type === 'opened' && this.#live.get(record.connection)?.asked)
        this.#unopen(record.connection);
      else {
        forgotten.add(record.connection);
        this.#live.delete(record.connection);
      }
    }
    const kept = batch.filter(({ record, keep }) => keep && !forgotten.has(record.connection));
    this.#pending = [...kept, ...this.#pending];
    if (!this.#failing) {
      this.#failing = true;
      const fields = { code: 'JOURNAL_WRITE_FAILED', cause: failure.message };
      this.#logger.error(fields, 'the session journal cannot be written; no connection is admitted');
    }
    if (kept.length > 0) this.#retryLater();
  }

  #unopen(connection: ConnectionId): void {
    const end = this.#live.get(connection)?.end ?? null;
    this.#live.set(connection, { ...ONLY_ASKED, end });
  }

  #retryLater(): void {
    if (this.#retry !== null || this.#closed) return;
    this.#retry = this.#timers.after(LIMITS.journalRetryMs, () => {
      this.#retry = null;
      this.flush();
    });
  }

  /**
   * Rewrites the file with live connections only. Synchronous, so it costs one long turn: some
   * 2 ms for 1,000 live connections, once for every 50,000 or more that came and went.
   */
  #compactIfWorthwhile(): void {
    if (this.#file.sizeBytes < this.#compactAtBytes) return;
    if (this.#live.size * 2 > this.#recordsInFile || this.#pending.length > 0) return;
    const records = this.#liveRecords();
    const failure = this.#file.replace(records);
    if (failure === null) {
      this.#recordsInFile = records.length;
      this.#compactAtBytes = this.#compactBytes;
      return;
    }
    this.#compactAtBytes = this.#file.sizeBytes * 2;
    this.#logger.warn(
      { cause: failure.message },
      'the session journal could not be compacted; it keeps growing',
    );
  }

  #liveRecords(): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const [connection, { key, openedAtMs, end }] of this.#live) {
      records.push(firstRecord({ connection, key, openedAtMs }));
      if (end !== null) records.push(closingRecord(connection, end));
    }
    return records;
  }
}

const ONLY_ASKED: LiveConnection = { key: null, asked: true, openedAtMs: 0, end: null };

function firstRecord(live: { connection: ConnectionId; key: SessionKey | null; openedAtMs: number }) {
  const { connection, key, openedAtMs } = live;
  return key === null
    ? ({ type: 'asked', connection } as const)
    : openedRecord({ connection, key, openedAtMs });
}

function openedRecord(opened: OpenedConnection) {
  const { connection, key, openedAtMs } = opened;
  return { type: 'opened', connection, key, openedAtMs } as const;
}

function closingRecord(connection: ConnectionId, end: ConnectionEnd) {
  return { type: 'closing', connection, reason: end.reason, code: end.code } as const;
}
