/**
 * Whether this node founds its cluster, and how the log of a new cluster begins.
 *
 * A founder whose directory was emptied is started with the same flags as at the first time. Were it
 * to found the cluster again, two clusters of one name would acknowledge changes. So it listens
 * first: members of an existing cluster know its name and call, if only to ask for its vote.
 */
import type { Cancellable, Timers } from '../base/index.ts';
import type { MemberName, Message, Persist, Restored } from '../consensus/index.ts';
import type { LogStore } from './log-store.ts';

/** True when the directory holds nothing of a log. */
export function isBlank({ promise, snapshot, entries, incarnation }: Restored): boolean {
  return snapshot === null && entries.length === 0 && incarnation === null && promise.ballot === 0;
}

/** Listens for a cluster that knows this node already. */
export class FoundingPause {
  #done: ((found: boolean) => void) | null;
  readonly #timer: Cancellable;

  /** `done(true)`: nobody has called, so the cluster is to be founded. */
  constructor(timers: Timers, pauseMs: number, done: (found: boolean) => void) {
    this.#done = done;
    this.#timer = timers.after(pauseMs, () => this.#end(true));
  }

  /** Whatever a member says ends the pause, unless it has not joined a cluster either. */
  receive(message: Message): void {
    if (message.sender.incarnation !== null) this.#end(false);
  }

  cancel(): void {
    this.#timer.cancel();
    this.#done = null;
  }

  #end(found: boolean): void {
    const done = this.#done;
    this.cancel();
    done?.(found);
  }
}

/**
 * The log of a new cluster with its participants in it, as learners: in one entry with the founder,
 * so that no death in between can leave some of them out.
 */
export function withParticipants(founded: Restored, participants: readonly MemberName[]): Restored {
  const entries = founded.entries.map((entry) => {
    if (entry.payload.type !== 'members') return entry;
    const { members } = entry.payload.configuration;
    const names = new Set(participants.filter((name) => !members.some((member) => member.name === name)));
    const learners = [...names].map((name) => ({ name, storage: null, role: 'learner', knows: {} }) as const);
    return {
      ...entry,
      payload: { type: 'members', configuration: { members: [...members, ...learners] } } as const,
    };
  });
  return { ...founded, entries };
}

/** Makes the beginning durable; only then may it be acted on. */
export function saveBeginning(
  journal: LogStore,
  { promise, entries, incarnation }: Restored,
  done: (error: Error | null) => void,
): void {
  const batch: Persist = { token: 0, promise, entries, snapshot: null, incarnation, muted: null };
  journal.persist(batch, done);
}
