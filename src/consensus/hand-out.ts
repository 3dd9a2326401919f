/**
 * Hands out what is committed, in order, once each.
 *
 * Only entries that are on this disk as well: a state that was built from entries which the disk
 * then loses could not be explained any more. A repeated request goes out as a no-op at its place.
 * At a kind that this node does not know the handing out ends for ever: skipping would fork the state.
 */
import { knowsKind, memberOf } from './configuration.ts';
import type { Core } from './core.ts';
import type { Entry, Index } from './types.ts';

/** The end of the way of an entry through a replica. */
export class HandOut {
  readonly #core: Core;
  /** Some committed configuration named this replica: a joiner on its way there was not removed. */
  #wasMember = false;
  #removed = false;
  #stopped = false;

  constructor(core: Core) {
    this.#core = core;
    this.#judgeMembership();
  }

  /** True when the committed members no longer include this replica. */
  get removed(): boolean {
    return this.#removed;
  }

  /** True when more could be handed out right now. */
  get isDue(): boolean {
    return !this.#stopped && this.#core.appliedIndex < this.#readyIndex;
  }

  /** Hands out what is ready, within the bound of one turn. */
  run(): void {
    const core = this.#core;
    const last = Math.min(this.#readyIndex, core.appliedIndex + core.settings.handOutMax);
    while (!this.#stopped && core.appliedIndex < last) this.#give(core.log.entryAt(core.appliedIndex + 1));
  }

  /** The state was replaced by a snapshot. */
  installed(): void {
    this.#judgeMembership();
  }

  get #readyIndex(): Index {
    return Math.min(this.#core.commitIndex, this.#core.saving.durableIndex);
  }

  #give(entry: Entry): void {
    const { outbox, proposals, requests, knows } = this.#core;
    const { index, payload } = entry;
    if (payload.type === 'changes' && !knowsKind(knows, payload.kind, payload.version)) {
      this.#stopped = true;
      outbox.notice({ type: 'unknown_kind', index, kind: payload.kind, version: payload.version });
      return;
    }
    this.#core.appliedIndex = index;
    outbox.commit(requests.applies(entry) ? entry : { ...entry, payload: { type: 'noop' } });
    proposals.handedOut(entry);
    if (payload.type !== 'members') return;
    outbox.notice({ type: 'configuration', configuration: payload.configuration, index });
    this.#judgeMembership();
  }

  #judgeMembership(): void {
    const { log, name, appliedIndex, outbox } = this.#core;
    const isNamed = memberOf(log.configurationAt(appliedIndex), name) !== undefined;
    this.#wasMember ||= isNamed;
    // A log that is read again from its beginning passes by removals that later entries took back.
    const stays = isNamed || memberOf(log.configuration, name) !== undefined;
    if (this.#wasMember && !stays && !this.#removed) outbox.notice({ type: 'removed' });
    this.#removed = this.#wasMember && !stays;
  }
}
