/** The promise: nobody takes a message of a channel's older owner after one of a later owner. */
import { Violation } from '../violation.ts';

/** Remembers the highest fencing number that was used for each channel. */
export class FencedPublishes {
  readonly #newest = new Map<string, { readonly who: string; readonly fencing: number }>();

  /** A node that takes itself for the owner gives a message its place. */
  published(who: string, channel: string, fencing: number): void {
    const newest = this.#newest.get(channel);
    if (
      newest !== undefined &&
      (fencing < newest.fencing || (fencing === newest.fencing && who !== newest.who))
    )
      throw new Violation(
        'fenced-publishes',
        `${who} orders ${channel} under ${fencing}, after ${newest.who} did under ${newest.fencing}`,
      );
    this.#newest.set(channel, { who, fencing });
  }
}
