/**
 * The configuration that a process acts on now, and the news that it has been replaced.
 *
 * Parts read `current` at the moment of use, so that a reload reaches them without being told; a
 * part that makes something of a value (digests of tokens, ranges of addresses) listens with
 * `onChange` and makes it anew. Whoever works on something for longer keeps what it has read.
 */
import type { Config } from './config.ts';

/** A configuration whose derived values are filled in. */
export interface Settings extends Config {
  /** What `X-Kuiperbelt-Endpoint` says; never null here. */
  readonly endpoint: string;
}

/** Told of each replacement, when `current` has the new settings already. */
export type SettingsListener = (now: Settings, before: Settings) => void;

/** One a process; `main/` replaces what is in it. */
export class LiveConfig {
  #current: Settings;
  readonly #listeners: SettingsListener[] = [];

  constructor(first: Settings) {
    this.#current = first;
  }

  /** The settings in force. Never changed in place: two reads of the same object agree. */
  get current(): Settings {
    return this.#current;
  }

  /** Puts `next` in force and tells everybody, in the order in which they began to listen. */
  replace(next: Settings): void {
    const before = this.#current;
    this.#current = next;
    for (const listener of this.#listeners) listener(next, before);
  }

  /** Listens for as long as the process lives. */
  onChange(listener: SettingsListener): void {
    this.#listeners.push(listener);
  }
}
