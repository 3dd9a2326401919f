/**
 * What was given to the disk and is not yet durable, and the messages that wait for it.
 *
 * A full disk is waited out: nothing is released, and everything unsaved is written again when the
 * disk may have room. Any other failure of the disk is final, because what a failed `fdatasync` left
 * behind is unknown. Driven by `embedded.ts`.
 */
import type { Cancellable, Clock, Timers } from '../base/index.ts';
import { LOG_LIMITS } from '../base/index.ts';
import type { Envelope, Persist } from '../consensus/index.ts';
import type { LogStore } from './log-store.ts';

/** What a queue is made of, and whom it tells. */
export interface SaveQueueOptions {
  readonly journal: LogStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly send: (envelope: Envelope) => void;
  /** Everything up to `durableToken` will not be forgotten. */
  readonly saved: (tookMs: number) => void;
  /** The disk is full; from now on nothing may be given to this queue, until `resumed`. */
  readonly stalled: (error: Error) => void;
  readonly resumed: () => void;
  /** The disk failed for good. */
  readonly failed: (error: Error) => void;
}

interface Unsaved {
  readonly batch: Persist;
  readonly sinceMs: number;
}

/** Batches in the order of their tokens, and what may be said after each. */
export class SaveQueue {
  readonly #options: SaveQueueOptions;
  #unsaved: Unsaved[] = [];
  #held: { readonly token: number; readonly envelopes: readonly Envelope[] }[] = [];
  /** Batches that the journal has not answered yet. */
  #asked = 0;
  #error: Error | null = null;
  #retry: Cancellable | null = null;
  #closed = false;
  #durableToken = 0;
  #stalled = false;

  constructor(options: SaveQueueOptions) {
    this.#options = options;
  }

  /** The newest token whose batch, and every earlier one, is durable. */
  get durableToken(): number {
    return this.#durableToken;
  }

  /** True from the first refusal of a full disk until everything unsaved is durable. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Gives a batch to the disk. */
  save(batch: Persist): void {
    const unsaved = { batch, sinceMs: this.#options.clock.monotonicMs() };
    this.#unsaved.push(unsaved);
    this.#write(unsaved);
  }

  /** Sends `envelopes` once `token` is durable: at once, when it is. */
  hold(envelopes: readonly Envelope[], token: number): void {
    if (envelopes.length === 0) return;
    this.#held.push({ token, envelopes });
    this.#release();
  }

  /** Nothing is sent or tried again after this. */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#held = [];
  }

  #write(unsaved: Unsaved): void {
    this.#asked++;
    this.#options.journal.persist(unsaved.batch, (error) => this.#answered(unsaved, error));
  }

  #answered(unsaved: Unsaved, error: Error | null): void {
    this.#asked--;
    if (this.#closed) return;
    if (error !== null) this.#error ??= error;
    // A batch behind a refused one does not count either, whatever was said of it.
    else if (this.#error === null && this.#unsaved[0] === unsaved) this.#saved(unsaved);
    if (this.#error !== null && this.#asked === 0) this.#giveIn(this.#error);
  }

  #saved(unsaved: Unsaved): void {
    this.#unsaved.shift();
    this.#durableToken = unsaved.batch.token;
    this.#release();
    this.#options.saved(this.#options.clock.monotonicMs() - unsaved.sinceMs);
    if (!this.#stalled || this.#unsaved.length > 0) return;
    this.#stalled = false;
    this.#options.resumed();
  }

  #release(): void {
    while (this.#held[0] !== undefined && this.#held[0].token <= this.#durableToken) {
      for (const envelope of this.#held.shift()?.envelopes ?? []) this.#options.send(envelope);
    }
  }

  #giveIn(error: Error): void {
    this.#error = null;
    if (!isFull(error)) return this.#options.failed(error);
    if (!this.#stalled) {
      this.#stalled = true;
      this.#options.stalled(error);
    }
    this.#retry = this.#options.timers.after(LOG_LIMITS.diskRetryMs, () => {
      for (const unsaved of this.#unsaved) this.#write(unsaved);
    });
  }
}

/** True for what goes away when somebody makes room. */
function isFull(error: Error & { readonly code?: unknown }): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}
