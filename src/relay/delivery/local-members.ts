/**
 * Which connections of this worker are in which channel.
 *
 * Says when a channel gets its first member here and loses its last, because that is what the
 * channel's owner has to know. `Member` is whatever the role sends to; this file never looks inside.
 */
import type { ChannelName } from '../../base/index.ts';

/** The place of a message in its channel: a run of the owner, and a number that grows within it. */
export interface Position {
  readonly run: number;
  readonly n: number;
}

interface Channel<Member> {
  readonly members: Set<Member>;
  lastRun: number;
  lastNumber: number;
}

/** The channels that have members on this worker. */
export class LocalMembers<Member> {
  readonly #channels = new Map<ChannelName, Channel<Member>>();

  get channelCount(): number {
    return this.#channels.size;
  }

  channels(): IterableIterator<ChannelName> {
    return this.#channels.keys();
  }

  has(channel: ChannelName): boolean {
    return this.#channels.has(channel);
  }

  /** Whether `member` is in `channel`. */
  holds(channel: ChannelName, member: Member): boolean {
    return this.#channels.get(channel)?.members.has(member) === true;
  }

  /** Those who are in `channel`. */
  of(channel: ChannelName): ReadonlySet<Member> {
    return this.#channels.get(channel)?.members ?? new Set();
  }

  /** `first` when the channel had no member here before. */
  join(channel: ChannelName, member: Member): 'first' | 'more' | 'already' {
    const present = this.#channels.get(channel);
    if (present === undefined) {
      this.#channels.set(channel, { members: new Set([member]), lastRun: 0, lastNumber: 0 });
      return 'first';
    }
    if (present.members.has(member)) return 'already';
    present.members.add(member);
    return 'more';
  }

  /** `last` when the channel has no member here any more. */
  leave(channel: ChannelName, member: Member): 'last' | 'left' | 'absent' {
    const present = this.#channels.get(channel);
    if (present === undefined || !present.members.delete(member)) return 'absent';
    if (present.members.size > 0) return 'left';
    this.#channels.delete(channel);
    return 'last';
  }

  /**
   * The members that message `position` goes to, or null when it must go to nobody: the channel has
   * no member here, or a message of a later position was already delivered (an owner that has been
   * replaced must not speak after its successor).
   */
  receivers(channel: ChannelName, position: Position): ReadonlySet<Member> | null {
    const present = this.#channels.get(channel);
    if (present === undefined) return null;
    const older =
      position.run < present.lastRun ||
      (position.run === present.lastRun && position.n <= present.lastNumber);
    if (older) return null;
    present.lastRun = position.run;
    present.lastNumber = position.n;
    return present.members;
  }
}
