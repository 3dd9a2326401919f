/**
 * The user's state behind the driver's door: entries are decoded, applied and told to listeners.
 *
 * A change that cannot be decoded is skipped, by every member alike, because it is committed and
 * nobody can take it back. A state that throws ends the node: its content would be anybody's guess.
 */
import { failed, ok, type Result } from '../base/index.ts';
import type { Entry, Index, Snapshot } from '../consensus/index.ts';
import type { AppliedState, Submission } from './doors.ts';
import type { ChangeCodec, ReplicatedState } from './log-options.ts';

/** Told after the state has taken an entry over. */
export interface CodecStateEvents<Change> {
  /** Every applied entry, for those who follow in bytes. */
  applied(entry: Entry): void;
  committed(index: Index, changes: readonly Change[]): void;
  undecodable(index: Index, error: Error): void;
}

/** What a state is joined from. */
export interface CodecStateOptions<Change> {
  readonly codec: ChangeCodec<Change>;
  readonly state: ReplicatedState<Change>;
  readonly events: CodecStateEvents<Change>;
}

/** Applies committed entries to the user's state. */
export class CodecState<Change> implements AppliedState {
  readonly #codec: ChangeCodec<Change>;
  readonly #state: ReplicatedState<Change>;
  readonly #events: CodecStateEvents<Change>;

  constructor({ codec, state, events }: CodecStateOptions<Change>) {
    this.#codec = codec;
    this.#state = state;
    this.#events = events;
  }

  snapshot(): Uint8Array {
    return this.#state.snapshot();
  }

  install(snapshot: Snapshot): Result<void, Error> {
    return attempt(() => this.#state.install(snapshot.state));
  }

  apply(entry: Entry): Result<void, Error> {
    const { index, payload } = entry;
    if (payload.type === 'changes') {
      const changes = this.#decode(index, payload);
      const outcome = attempt(() => {
        for (const change of changes) this.#state.apply(change, index);
      });
      if (!outcome.ok) return outcome;
      this.#events.committed(index, changes);
    }
    this.#events.applied(entry);
    return ok(undefined);
  }

  /** True when every change can be decoded: asked before bytes of others are proposed. */
  understands(changes: readonly Uint8Array[]): boolean {
    return attempt(() => {
      for (const bytes of changes) this.#codec.decode(bytes, this.#codec.version);
    }).ok;
  }

  #decode(index: Index, submission: Submission): Change[] {
    const changes: Change[] = [];
    for (const bytes of submission.changes) {
      const decoded = attempt(() => this.#codec.decode(bytes, submission.version));
      if (decoded.ok) changes.push(decoded.value);
      else this.#events.undecodable(index, decoded.error);
    }
    return changes;
  }
}

/** Runs what belongs to the user; what it throws is a value. */
function attempt<Value>(run: () => Value): Result<Value, Error> {
  try {
    return ok(run());
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)));
  }
}
