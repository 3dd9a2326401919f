/**
 * A session journal in memory, which fails when it is told to.
 *
 * Like the real one it writes at the end of a turn: what was noted after that is lost with its
 * worker. `owed` is what a replacement would find.
 */
import type { ConnectionId, SessionKey, Timers } from '../../src/base/index.ts';
import type {
  ConnectionEnd,
  OpenedConnection,
  OwedClose,
  SessionJournal,
  Written,
} from '../../src/journal/index.ts';

interface Trace {
  readonly key: SessionKey | null;
  readonly end: ConnectionEnd | null;
}

interface Note {
  readonly connection: ConnectionId;
  readonly apply: () => void;
  readonly written: Written | null;
}

/** One run's journal. */
export class MemoryJournal implements SessionJournal {
  /** What the disk answers to admissions; ends are always kept for later. */
  failure: Error | null = null;
  closedDown = false;
  readonly #timers: Timers;
  readonly #live = new Set<ConnectionId>();
  readonly #written = new Map<ConnectionId, Trace>();
  #notes: Note[] = [];

  constructor(timers: Timers, adopted: readonly OwedClose[] = []) {
    this.#timers = timers;
    for (const { connection, key, reason, code } of adopted) {
      this.#live.add(connection);
      this.#written.set(connection, { key, end: { reason, code } });
    }
  }

  get liveCount(): number {
    return this.#live.size;
  }

  asked(connection: ConnectionId, written: Written): void {
    this.#live.add(connection);
    this.#note({ connection, written, apply: () => this.#written.set(connection, { key: null, end: null }) });
  }

  opened({ connection, key }: OpenedConnection, written: Written): void {
    this.#live.add(connection);
    this.#note({ connection, written, apply: () => this.#written.set(connection, { key, end: null }) });
  }

  closing(connection: ConnectionId, end: ConnectionEnd): void {
    if (!this.#live.has(connection)) return;
    const apply = () => {
      const trace = this.#written.get(connection);
      if (trace?.end === null) this.#written.set(connection, { key: trace.key, end });
    };
    this.#note({ connection, apply, written: null });
  }

  closed(connection: ConnectionId): void {
    if (!this.#live.delete(connection)) return;
    this.#note({ connection, apply: () => this.#written.delete(connection), written: null });
  }

  flush(): void {
    const notes = this.#notes;
    this.#notes = [];
    const failure = this.failure;
    const refused = new Set<ConnectionId>();
    for (const { connection, apply, written } of notes) {
      const isRefused = failure !== null && written !== null;
      // What was asked for before the disk was full is remembered, and so is its end.
      if (isRefused && !this.#written.has(connection)) {
        refused.add(connection);
        this.#live.delete(connection);
      }
      if (!isRefused && !refused.has(connection)) apply();
    }
    for (const { written } of notes) written?.(failure);
  }

  close(): void {
    this.flush();
    this.closedDown = true;
  }

  /** What the next run of this worker has to send if this one ends now. */
  owed(lostReason = 'worker_lost'): OwedClose[] {
    return [...this.#written].map(([connection, { key, end }]) => {
      return { connection, key, reason: end?.reason ?? lostReason, code: end?.code ?? 1006 };
    });
  }

  #note(note: Note): void {
    if (this.closedDown) {
      const { written } = note;
      if (written !== null) this.#timers.endOfTurn(() => written(new Error('the journal is closed')));
      return;
    }
    this.#notes.push(note);
    if (this.#notes.length === 1) this.#timers.endOfTurn(() => this.flush());
  }
}
