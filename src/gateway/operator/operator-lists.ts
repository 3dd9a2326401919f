/**
 * This worker's part of an operator's lists, handed out in portions.
 *
 * A list walks along the living register between its portions, so that it costs no copy of it: what
 * comes or goes meanwhile may be in it or not, and everything else is in it once. Lists that nobody
 * asks on are forgotten.
 */
import { type ChannelName, type Clock, idTimeMs, LIMITS, type Timers } from '../../base/index.ts';
import {
  type Bus,
  LIST_PORTION_ROWS,
  type ListFacts,
  NO_BYTES,
  OPERATOR_KINDS,
  type PortionFacts,
  type Reply,
} from '../../bus/index.ts';
import type { NodeChannels } from '../node/node-channels.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** What lists are made from. */
export interface OperatorListDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sessions: Sessions;
  readonly channels: NodeChannels;
}

interface OpenList {
  readonly rows: Iterator<string>;
  untilMs: number;
}

/** The lists that operators are reading of this worker. */
export class OperatorLists {
  readonly #doors: OperatorListDoors;
  readonly #open = new Map<number, OpenList>();
  #cursors = 0;
  #sweeping = false;

  constructor(doors: OperatorListDoors) {
    this.#doors = doors;
    doors.bus.handle(OPERATOR_KINDS.list, (_from, { facts }, reply) => {
      this.#answer(facts as unknown as ListFacts, reply);
    });
  }

  /** Lists that are being read. */
  get size(): number {
    return this.#open.size;
  }

  #answer(facts: ListFacts, reply: Reply): void {
    const { cursor } = facts;
    const list = cursor === 0 ? this.#begin(facts) : this.#open.get(cursor);
    if (list === undefined) return this.#refuse(reply);
    const { text, rows, more } = portionOf(list.rows);
    if (!more) {
      this.#open.delete(cursor);
      return answer(reply, { rows, cursor: 0, refused: false }, text);
    }
    if (cursor === 0 && this.#open.size >= LIMITS.operatorListsMax) return this.#refuse(reply);
    const next = cursor === 0 ? ++this.#cursors : cursor;
    list.untilMs = this.#doors.clock.monotonicMs() + LIMITS.operatorListMs;
    this.#open.set(next, list);
    this.#sweepLater();
    answer(reply, { rows, cursor: next, refused: false }, text);
  }

  #refuse(reply: Reply): void {
    answer(reply, { rows: 0, cursor: 0, refused: true }, '');
  }

  #begin({ list, channel }: ListFacts): OpenList {
    const { sessions, channels, bus } = this.#doors;
    if (list === 'channels') return { rows: channelRows(channels.ordered()), untilMs: 0 };
    const those = channel === null ? sessions.all() : channels.membersOf(channel as ChannelName).values();
    return { rows: connectionRows(those, channel, bus.self.node), untilMs: 0 };
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#doors.timers.after(LIMITS.operatorListMs, () => {
      this.#sweeping = false;
      const nowMs = this.#doors.clock.monotonicMs();
      for (const [cursor, { untilMs }] of this.#open) if (untilMs <= nowMs) this.#open.delete(cursor);
      if (this.#open.size > 0) this.#sweepLater();
    });
  }
}

function answer(reply: Reply, facts: PortionFacts, text: string): void {
  reply(facts, text === '' ? NO_BYTES : Buffer.from(text));
}

function portionOf(rows: Iterator<string>): { text: string; rows: number; more: boolean } {
  let text = '';
  for (let count = 0; count < LIST_PORTION_ROWS; count++) {
    const next = rows.next();
    if (next.done) return { text, rows: count, more: false };
    text += count === 0 ? next.value : `,${next.value}`;
  }
  return { text, rows: LIST_PORTION_ROWS, more: true };
}

function* channelRows(channels: Iterable<ChannelName>): Generator<string> {
  for (const channel of channels) yield JSON.stringify({ channel_id: channel, spotlight: false });
}

/** A row for each channel of a connection, or for that one only, or one without a channel. */
function* connectionRows(
  sessions: Iterable<Session>,
  channel: string | null,
  node: string,
): Generator<string> {
  for (const session of sessions) {
    // From its 101 on a client is connected, whatever the application is still asked.
    const { stage } = session.life;
    if (stage === 'registering' || stage === 'ended') continue;
    if (channel !== null) yield rowOf(session, channel, node);
    else if (session.channels.length === 0) yield rowOf(session, null, node);
    else for (const own of session.channels) yield rowOf(session, own, node);
  }
}

function rowOf(session: Session, channel: string | null, node: string): string {
  return JSON.stringify({
    channel_id: channel,
    client_id: session.key,
    session_id: null,
    connection_id: session.id,
    role: 'sendrecv',
    kind: 'gateway',
    node_name: node,
    created_timestamp: new Date(idTimeMs(session.id)).toISOString(),
  });
}
