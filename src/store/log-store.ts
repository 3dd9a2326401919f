/** What the driver asks of whoever keeps the log on disk; `journal/` implements it. */
import type { Persist, Snapshot } from '../consensus/index.ts';

/** Called once; null when everything given is durable. */
export type Durable = (error: Error | null) => void;

/** A log on disk. */
export interface LogStore {
  /**
   * Writes and makes durable, in the order of the calls. What comes while the disk is busy goes
   * out together. After an error nothing of that batch, nor of later ones, counts as written.
   */
  persist(batch: Persist, done: Durable): void;
  /** Keeps a snapshot of the state and lets go of what it stands for, but for some entries before it. */
  saveSnapshot(snapshot: Snapshot, done: Durable): void;
  /** Bytes written since the last snapshot: what a restart has to read again. */
  readonly bytesSinceSnapshot: number;
  close(done: () => void): void;
}
