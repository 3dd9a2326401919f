/**
 * The keys under `callback:`: what the application is asked and told, and how patiently.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are.
 */
import { DEFAULTS, LIMITS } from '../../base/index.ts';
import {
  backendUrlsField,
  breakerGroup,
  checkBackends,
  checkBreaker,
  healthGroup,
} from '../fields/backends-fields.ts';
import { formatDuration } from '../fields/duration.ts';
import { booleanField, choiceField, durationField, integerField } from '../fields/field.ts';
import { signingKeysField } from '../fields/tokens-field.ts';
import { group } from './group.ts';

const COUNT_MAX = 1_000_000;
const URL_REASON = 'Absolute, `http` or `https`. A list names several backends, 16 at most.';

/** The keys under `callback:`. */
export const callbackKeys = {
  connect: backendUrlsField({
    description: 'Asked for every connect; its 200 with a session key admits the client.',
    reason: `${URL_REASON} Without it every connect is answered 500, as in kuiperbelt.`,
    example: 'http://127.0.0.1:12346/connect',
    reload: 'live',
  }),
  establish: backendUrlsField({
    description:
      'Asked when the WebSocket stands, before its hello; messages sent meanwhile wait behind the hello.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/establish',
    reload: 'live',
  }),
  receive: backendUrlsField({
    description: 'Gets every message of a client; without it they are discarded.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/receive',
    reload: 'live',
  }),
  close: backendUrlsField({
    description: 'Told when a connection has ended.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/close',
    reload: 'live',
  }),
  timeout: durationField({
    fallbackMs: 0,
    description: 'Bound of a connect, establish or receive callback, from dialling to the last byte.',
    reason: `\`0s\` means ${formatDuration(LIMITS.callbackTimeoutMaxMs)}; a bound of a few seconds is wise.`,
    example: '10s',
    reload: 'live',
  }),
  dial_timeout: durationField({
    fallbackMs: DEFAULTS.callbackDialTimeoutMs,
    minMs: 10,
    maxMs: 60_000,
    description: 'Bound of dialling one of several backends; then the next is tried. Not in kuiperbelt.',
    reason: 'A single URL has the whole of the timeout.',
    reload: 'live',
  }),
  close_timeout: durationField({
    fallbackMs: DEFAULTS.callbackCloseTimeoutMs,
    minMs: 1,
    description: 'Bound of one attempt at a close callback.',
    reason: 'Never unbounded: attempts are limited in number and must end.',
    reload: 'live',
  }),
  close_attempts: integerField({
    fallback: DEFAULTS.callbackCloseAttemptsMax,
    min: 1,
    max: 100,
    description: 'How often a close callback is tried before it is given up.',
    reason: 'Each attempt waits longer than the one before.',
    reload: 'live',
  }),
  close_backoff: durationField({
    fallbackMs: DEFAULTS.callbackCloseBackoffMs,
    minMs: 1,
    description: 'Wait before the second attempt; it doubles with each further one.',
    reason: 'At most `callback.close_backoff_max`.',
    reload: 'live',
  }),
  close_backoff_max: durationField({
    fallbackMs: DEFAULTS.callbackCloseBackoffMaxMs,
    minMs: 1,
    description: 'The longest wait between two attempts.',
    reason: 'Long enough for an application to restart, short enough that its lists stay true.',
    reload: 'live',
  }),
  max_in_flight: integerField({
    fallback: DEFAULTS.callbackMaxInFlight,
    min: 1,
    max: 65_536,
    description: 'Callbacks in flight at once, for each worker.',
    reason: 'Protects the application and the descriptors of this host.',
    reload: 'live',
  }),
  max_queued: integerField({
    fallback: DEFAULTS.callbackMaxQueued,
    min: 0,
    max: COUNT_MAX,
    description: 'Connects that may wait for a free place, for each worker; further ones get 503.',
    reason: 'A client that waits longer than this has usually given up.',
    reload: 'live',
  }),
  allow_private_redirects: booleanField({
    fallback: false,
    description: 'Follows redirects to private and loopback addresses, too. Not in kuiperbelt.',
    reason: 'Within the configured host and port always; to link-local and metadata addresses never.',
    reload: 'live',
  }),
  signing_keys: signingKeysField({
    description: 'Secrets that callbacks are signed with; the first one signs. Not in kuiperbelt.',
    reason: 'Each 32 to 512 visible ASCII characters without spaces, drawn at random.',
    example: `["\${SIGNING_KEY:-32-or-more-characters-of-your-own}"]`,
    reload: 'live',
  }),
  trace: choiceField({
    choices: ['off', 'continue', 'restart'],
    fallback: 'continue',
    description: 'Puts callbacks and log lines into a W3C trace for each connection. Not in kuiperbelt.',
    reason: "`continue`: the client's if it names one, else a new one; `restart`: always a new one.",
    reload: 'live',
  }),
  trace_sampled: booleanField({
    fallback: true,
    description:
      'Whether new traces ask to be recorded; those of clients keep their flag. Not in kuiperbelt.',
    reload: 'live',
  }),
  health: group(healthGroup),
  breaker: group(breakerGroup).superRefine(checkBreaker),
} as const;

/** Refuses callbacks that have too many backends together. */
export function checkCallbackBackends(
  callback: Readonly<Record<'connect' | 'establish' | 'receive' | 'close', readonly string[] | null>>,
  issues: Parameters<typeof checkBackends>[1],
): void {
  checkBackends([callback.connect, callback.establish, callback.receive, callback.close], issues);
}
