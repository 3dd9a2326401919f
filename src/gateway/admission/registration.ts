/**
 * The records of an admitted connection: journal, the home of its key, the owners of its channels.
 *
 * The third step of admission, after the application's 200 and before the 101. From here on every
 * way out goes through `sessions.end`, so that the application hears of it exactly once.
 */
import type { ConnectionId, ErrorCode, SessionKey } from '../../base/index.ts';
import { encodeFrame } from '../../net/index.ts';
import type { Admission as AdmittingReply } from '../../relay/index.ts';
import { Session } from '../sessions/session.ts';
import type { AdmissionDoors } from './admission-doors.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { Establishment } from './establishment.ts';

type RegistrationDoors = Pick<
  AdmissionDoors,
  'clock' | 'journal' | 'directory' | 'channels' | 'sessions' | 'watches' | 'modes'
> & {
  readonly attempts: Attempts;
  readonly establishment: Establishment;
};

/** Registers the connections of one worker. */
export class Registration {
  readonly #doors: RegistrationDoors;

  constructor(doors: RegistrationDoors) {
    this.#doors = doors;
  }

  /** Records the session that the application admitted; the 101 follows the last acknowledgement. */
  admit(attempt: Attempt, reply: AdmittingReply): void {
    const { journal, channels, attempts, establishment, modes } = this.#doors;
    const { mode } = modes;
    const access = modes.admitted(reply.channels.length);
    const session = this.#newSession(attempt, reply);
    const acknowledged = (code: ErrorCode, success: boolean): void => {
      const next = success ? session.life.acknowledged() : 'ended';
      if (next === 'upgrade') establishment.begin(attempt, session, reply.protocol);
      if (next !== 'ended') return;
      // Not recorded in time, or ended meanwhile: replaced, closed by the application, a drain.
      establishment.neverBegan(session);
      if (session.endReason === 'replaced') return attempts.replaced(attempt);
      attempts.refuse(attempt, success ? 'NOT_ADMITTING' : code, 'the connection ended before it began');
    };
    journal.opened(this.#record(session), (failure) =>
      acknowledged('JOURNAL_WRITE_FAILED', failure === null),
    );
    if (access === 'none') return establishment.blocked(attempt, session, mode);
    // Who may yet be kept out must not throw out an older connection of its key.
    if (access === 'any') this.#register(session, acknowledged);
    let outstanding = session.channels.length;
    for (const channel of session.channels) {
      // Its first channel may have kept it out already.
      if (session.life.stage === 'ended') return;
      channels.join(session, channel, access, (outcome) => {
        if (outcome === 'would_begin') return establishment.blocked(attempt, session, mode);
        acknowledged('DIRECTORY_UNAVAILABLE', outcome === 'joined');
        outstanding--;
        if (access === 'live' && outstanding === 0 && session.life.stage !== 'ended') {
          this.#register(session, acknowledged);
        }
      });
    }
  }

  #register(session: Session, acknowledged: (code: ErrorCode, success: boolean) => void): void {
    const { directory, sessions } = this.#doors;
    sessions.registering(session);
    directory.register(session, (registered) => {
      // A home that was too slow for us may have registered the session nevertheless.
      if (!registered || session.life.stage === 'ended') directory.unregister(session);
      else sessions.addressable(session);
      acknowledged('DIRECTORY_UNAVAILABLE', registered);
    });
  }

  /** The application believes in a connection that will never be: it is owed its end. */
  disown(attempt: Attempt, key: SessionKey, told: () => void): void {
    const { id, trace } = attempt;
    const session = new Session({ id, trace, key, channels: [], hello: null, awaited: 1 });
    this.#doors.sessions.add(session);
    this.#doors.journal.opened(this.#record(session), () => {
      this.#doors.establishment.neverBegan(session);
      told();
    });
  }

  #newSession(attempt: Attempt, reply: AdmittingReply): Session {
    const { key, channels } = reply;
    const { id, trace } = attempt;
    const hello = reply.hello === null ? null : encodeFrame(reply.hello, reply.helloBinary);
    const session = new Session({ id, trace, key, channels, hello, awaited: 2 + channels.length });
    session.watch = this.#doors.watches.of(key);
    session.watch?.step(session, 'admitted', {
      client: attempt.client,
      status: 200,
      sinceAskedMs: session.watch.since(attempt.beganAtMs),
      channels: channels.length,
      helloBytes: hello?.byteLength ?? 0,
    });
    this.#doors.sessions.add(session);
    return session;
  }

  #record(session: Session): { connection: ConnectionId; key: Session['key']; openedAtMs: number } {
    return { connection: session.id, key: session.key, openedAtMs: this.#doors.clock.wallMs() };
  }
}
