/**
 * What operators do to connections of this worker: close them, send them something.
 *
 * An operator is not the application, so the application hears of each end by its close callback.
 * Many ends are spread over turns of the event loop: nobody else waits for them.
 */
import type { ChannelName, ConnectionId, SessionKey, Timers } from '../../base/index.ts';
import { type Bus, type Json, OPERATOR_KINDS, type OperatorTarget } from '../../bus/index.ts';
import { CLOSE_REASONS } from '../../relay/index.ts';
import type { NodeChannels } from '../node/node-channels.ts';
import type { NodeStats } from '../node/node-stats.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionActions } from '../sessions/session-actions.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** What orders are carried out with. */
export interface OperatorOrderDoors {
  readonly bus: Bus;
  readonly timers: Timers;
  readonly sessions: Sessions;
  readonly channels: NodeChannels;
  readonly actions: SessionActions;
  readonly nodeStats: NodeStats;
}

/** Connections closed in one turn; each costs a close frame, a journal record and a callback. */
const ENDS_PER_TURN = 100;
const CODE = CLOSE_REASONS.operator.closeCode as number;
const REASON_TEXT = 'DISCONNECTED-API';

/** Carries out the orders of operators that concern connections of this worker. */
export class OperatorOrders {
  readonly #doors: OperatorOrderDoors;

  constructor(doors: OperatorOrderDoors) {
    this.#doors = doors;
    const { bus } = doors;
    bus.handle(OPERATOR_KINDS.disconnect, (_from, { facts }, reply) => {
      this.#end(this.#find(facts as unknown as OperatorTarget), 0, reply);
    });
    bus.handle(OPERATOR_KINDS.push, (_from, { facts, bytes }, reply) => {
      this.#push(facts as unknown as OperatorTarget, bytes, reply);
    });
    bus.handle(OPERATOR_KINDS.stats, (_from, _message, reply) => {
      doors.nodeStats.sum((stats) => reply(stats as unknown as Json));
    });
  }

  #find({ channel, client, connection }: OperatorTarget): Session[] {
    const { sessions, channels } = this.#doors;
    if (connection === null && client === null) return [...channels.membersOf(channel as ChannelName)];
    const session =
      connection === null ? sessions.byKey(client as SessionKey) : sessions.byId(connection as ConnectionId);
    const isMeant = channel === null || session?.channels.includes(channel as ChannelName);
    return session !== undefined && isMeant ? [session] : [];
  }

  #end(sessions: Session[], ended: number, reply: (ended: number) => void): void {
    let count = ended;
    for (const session of sessions.splice(0, ENDS_PER_TURN)) {
      if (!this.#doors.sessions.end(session, { reason: 'operator', code: CODE })) continue;
      session.close(CODE, REASON_TEXT);
      count++;
    }
    if (sessions.length === 0) reply(count);
    else this.#doors.timers.endOfTurn(() => this.#end(sessions, count, reply));
  }

  /** A channel's messages have one order, so its owner sends them; null: it could not be asked. */
  #push(target: OperatorTarget, bytes: Uint8Array, reply: (taken: number | null) => void): void {
    const { channel, client, connection } = target;
    if (client !== null || connection !== null) {
      const taken = this.#find(target).filter((session) => this.#doors.actions.sendTo(session, bytes));
      return reply(taken.length);
    }
    const message = { act: 'send', channel: channel as ChannelName, bytes, binary: false } as const;
    this.#doors.channels.publish(message, (published) => {
      reply(published.type === 'published' ? published.delivered : null);
    });
  }
}
