/**
 * What an operator learns about clients that are kept out or break the rules.
 *
 * Every end and every refusal is counted; a line is written for what somebody should look at: a page
 * that may not connect, a client that broke the rules. What the application refused says its own
 * line (`connect-question.ts`), and so does a flood (`message-throttle.ts`).
 */
import type { Logger, Meter } from '../base/index.ts';
import type { UpgradeRequest } from '../net/index.ts';
import type { CloseReason } from '../relay/index.ts';
import type { Traced, Tracing } from './sessions/tracing.ts';

/** What is watched with. */
export interface ConnectionWatchDoors {
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracing: Tracing;
}

/** Only a client that broke the rules ends for one of these. */
const BROKEN_RULES: ReadonlySet<string> = new Set<CloseReason>([
  'protocol_error',
  'invalid_utf8',
  'message_too_large',
]);
/** An origin is scheme, host and port; more is only meant to fill the log. */
const ORIGIN_CHARACTERS_MAX = 200;

/** Counts and logs, for one worker. */
export class ConnectionWatch {
  readonly #doors: ConnectionWatchDoors;
  readonly #ends: ReturnType<Meter['counter']>;
  readonly #refusals: ReturnType<Meter['counter']>;

  constructor(doors: ConnectionWatchDoors) {
    this.#doors = doors;
    this.#ends = doors.meter.counter({
      name: 'arrokoth_connection_ends_total',
      help: 'Admitted connections that ended, by reason; application: it asked for it by /close.',
      labels: ['reason'],
    });
    this.#refusals = doors.meter.counter({
      name: 'arrokoth_handshakes_refused_total',
      help: 'Handshakes that were refused before the application was asked, by status.',
      labels: ['status'],
    });
  }

  /** `request` of `client` was answered `status`, and the application does not hear of it. */
  refused(request: UpgradeRequest, client: string, status: number): void {
    this.#refusals.add(1, { status: String(status) });
    const { logger } = this.#doors;
    if (status !== 403) return logger.debug({ client, status }, 'the handshake was refused');
    const origin = request.header('origin')?.slice(0, ORIGIN_CHARACTERS_MAX);
    logger.info({ client, origin, status }, 'the page may not connect');
  }

  /** An admitted connection has ended. */
  ended(connection: Traced, reason: CloseReason | 'application'): void {
    this.#ends.add(1, { reason });
    if (!BROKEN_RULES.has(reason)) return;
    const { logger, tracing } = this.#doors;
    logger.info({ ...tracing.facts(connection), reason }, 'the client broke the rules');
  }
}
