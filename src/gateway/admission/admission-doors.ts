/**
 * What a connect passes through on its way in: the doors of `Admission` and of its steps.
 *
 * Types only. The steps follow each other, each in a file of its own: `admission.ts` checks,
 * `connect-question.ts` asks the application, `registration.ts` makes the records that survive us,
 * `establishment.ts` opens the connection; `attempts.ts` knows who is on the way.
 */
import type { Clock, IdSource, Logger, Meter, Random } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type { SessionJournal } from '../../journal/index.ts';
import type { ForwardedRule } from '../../relay/index.ts';
import type { ConnectionWatch } from '../connection-watch.ts';
import type { GatewayStats } from '../gateway-stats.ts';
import type { CallbackCaller } from '../logged-callbacks.ts';
import type { ModeGate } from '../mode-gate.ts';
import type { KeyDirectory } from '../node/key-directory.ts';
import type { NodeChannels } from '../node/node-channels.ts';
import type { OverloadGuard } from '../overload-guard.ts';
import type { KeyWatches } from '../sessions/key-watches.ts';
import type { MessageThrottle } from '../sessions/message-throttle.ts';
import type { ReceiveCallbacks } from '../sessions/receive-callbacks.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tracing } from '../sessions/tracing.ts';
import type { AddressGate } from './address-gate.ts';

/** Everything that admitting takes; each step names the part of it that it uses. */
export interface AdmissionDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly forwarded: ForwardedRule;
  readonly ids: IdSource;
  readonly tracing: Tracing;
  readonly journal: SessionJournal;
  readonly httpClient: CallbackCaller;
  readonly stats: GatewayStats;
  readonly watch: ConnectionWatch;
  readonly sessions: Sessions;
  readonly watches: KeyWatches;
  readonly directory: KeyDirectory;
  readonly channels: NodeChannels;
  readonly receiveCallbacks: ReceiveCallbacks;
  readonly addresses: AddressGate;
  readonly throttle: MessageThrottle;
  /** Null where no mark is set. */
  readonly overload: OverloadGuard;
  readonly modes: ModeGate;
  /** Why nobody is admitted any more, or null. */
  readonly stopping: () => string | null;
}
