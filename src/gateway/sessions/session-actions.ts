/**
 * What the application may do to a connection of this worker: send, close, change its channels.
 *
 * The last step of every delivery, wherever it began. Knows nothing of HTTP or of other workers.
 */
import type { ChannelName } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import { encodeFrame, type Frame, type SendOutcome } from '../../net/index.ts';
import type { GatewayStats } from '../gateway-stats.ts';
import type { ModeGate } from '../mode-gate.ts';
import type { KeyAction, KeyOutcome, KeyTarget, PerformDone } from '../node/key-action.ts';
import type { ChannelMessage, NodeChannels } from '../node/node-channels.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** What acts on a session of this worker. */
export interface SessionActionDoors {
  readonly live: LiveConfig;
  readonly modes: ModeGate;
  readonly stats: GatewayStats;
  readonly sessions: Sessions;
  readonly channels: () => NodeChannels;
}

/** RFC 6455 7.4.1: the purpose of the connection is fulfilled. */
const NORMAL_CLOSURE = 1000;

/** Performs actions on the connections of this worker. */
export class SessionActions {
  readonly #doors: SessionActionDoors;
  /** The frame of the message that is being delivered: built once, however many keys it goes to. */
  #bytes: Uint8Array | null = null;
  #binary = false;
  #frame: Frame | null = null;

  constructor(doors: SessionActionDoors) {
    this.#doors = doors;
  }

  /** `undefined` when this worker holds no session of that key. */
  perform({ key, sentByHome }: KeyTarget, action: KeyAction, bytes: Uint8Array, done: PerformDone): void {
    const { sessions } = this.#doors;
    const session = sentByHome ? sessions.sentByHome(key) : sessions.byKey(key);
    if (session === undefined) return done(undefined);
    switch (action.type) {
      case 'probe':
        return done('done');
      case 'send':
        return done(this.#send(session, this.#frameOf(bytes, action.binary)));
      case 'close':
        return done(this.#close(session, this.#frameOf(bytes, action.binary)) ? 'done' : 'closed');
      case 'subscribe':
        return this.#subscribe(session, action.channels, done);
      case 'unsubscribe':
        this.#unsubscribe(session, action.channels);
        return done('done');
    }
  }

  /** Sends text to one connection; true when it took it. */
  sendTo(session: Session, bytes: Uint8Array): boolean {
    return this.#send(session, this.#frameOf(bytes, false)) === 'done';
  }

  /** A channel message for connections of this worker; answers how many took it. */
  deliverToMembers(members: ReadonlySet<Session>, message: ChannelMessage): number {
    const frame = encodeFrame(message.bytes, message.binary);
    let delivered = 0;
    if (message.act === 'close') {
      for (const session of [...members]) if (this.#close(session, frame)) delivered++;
      return delivered;
    }
    this.#doors.stats.messages(members.size);
    const heldBounds = this.#doors.live.current.slowClient;
    for (const session of members) {
      if (session.deliver(frame, heldBounds) === 'queued') delivered++;
      else this.#doors.stats.messageError();
    }
    return delivered;
  }

  #send(session: Session, frame: Frame): KeyOutcome {
    this.#doors.stats.messages(1);
    const outcome = session.deliver(frame, this.#doors.live.current.slowClient);
    if (outcome === 'queued') return 'done';
    this.#doors.stats.messageError();
    return KEY_OUTCOMES[outcome];
  }

  /** No close callback follows: the application knows. False when it had ended already. */
  #close(session: Session, frame: Frame): boolean {
    // A hello that has not gone out yet goes before the farewell.
    const withHello = session.connection !== null && session.hello !== null;
    this.#doors.stats.messages(withHello ? 2 : 1);
    if (!this.#doors.sessions.endSilently(session)) return false;
    session.close(NORMAL_CLOSURE, '', frame);
    return true;
  }

  #subscribe(session: Session, wanted: readonly ChannelName[], done: (outcome: KeyOutcome) => void): void {
    const channels = [...new Set(wanted)];
    const added = channels.filter((channel) => !session.channels.includes(channel));
    const { channelsPerConnectionMax } = this.#doors.live.current.limits;
    if (session.channels.length + added.length > channelsPerConnectionMax) return done('too_many_channels');
    const { modes } = this.#doors;
    const { mode } = modes;
    const access = modes.subscribing();
    if (access === 'none') {
      modes.refused('subscribe', mode);
      return done('blocked');
    }
    session.channels = session.channels.concat(added);
    let outstanding = channels.length;
    let outcome: KeyOutcome = 'done';
    // Channels that it is in already are joined again, because the owner may not have confirmed yet.
    for (const channel of channels) {
      this.#doors.channels().join(session, channel, access, (joined) => {
        if (joined === 'would_begin') outcome = 'blocked';
        else if (joined === 'unreachable') {
          if (outcome === 'done') outcome = 'unreachable';
          this.#unsubscribe(session, [channel]);
        }
        outstanding--;
        if (outstanding > 0) return;
        if (outcome === 'blocked') {
          // Whoever is told of a refusal has been put into none of them.
          this.#unsubscribe(session, added);
          modes.refused('subscribe', mode);
        }
        done(session.life.stage === 'ended' ? 'closed' : outcome);
      });
    }
  }

  #unsubscribe(session: Session, unwanted: readonly ChannelName[]): void {
    for (const channel of unwanted) {
      if (session.channels.includes(channel)) this.#doors.channels().leave(session, channel);
    }
    session.channels = session.channels.filter((channel) => !unwanted.includes(channel));
  }

  #frameOf(bytes: Uint8Array, binary: boolean): Frame {
    if (this.#frame !== null && this.#bytes === bytes && this.#binary === binary) return this.#frame;
    const frame = encodeFrame(bytes, binary);
    this.#bytes = bytes;
    this.#binary = binary;
    this.#frame = frame;
    return frame;
  }
}

const KEY_OUTCOMES: Readonly<Record<Exclude<SendOutcome, 'queued'>, KeyOutcome>> = {
  dropped: 'full',
  closed: 'closed',
};
