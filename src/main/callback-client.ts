/**
 * Builds the HTTP client of callbacks: with signatures, several backends and their checks, as configured.
 *
 * What may be configured anew while a node runs is taken over here.
 */
import { IdSource, LIMITS } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { CallbackBackends, checkBackends, HttpClient, type HttpClientRules } from '../net/index.ts';
import { callbackSigner } from '../relay/index.ts';
import { systemClock, systemDigest, systemRandom, systemTimers } from '../system/index.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** The client of one worker; checks of backends begin at once. */
export function buildCallbackClient(doors: WorkerDoors): HttpClient {
  const { live, meter } = doors;
  const ids = new IdSource({ clock: systemClock, random: systemRandom });
  const signing = { clock: systemClock, digest: systemDigest, nonce: () => ids.next() };
  const rules = ({ callback, sessionHeader }: Config): HttpClientRules => {
    return { ...callback, sign: callbackSigner({ keys: callback.signingKeys, sessionHeader }, signing) };
  };
  const backends = callbackBackends(doors);
  const client = new HttpClient({ ...rules(live.current), backends, timers: systemTimers });
  live.onChange((now) => client.adjust(rules(now)));
  keepChecking(doors, backends, rules);
  const gauge = (name: string, help: string, read: () => number): void =>
    meter.meter.observed({ name, help, type: 'gauge' }, read);
  gauge('arrokoth_callbacks_in_flight', 'Callbacks that are not answered yet.', () => client.inFlight);
  gauge('arrokoth_callbacks_waiting', 'Callbacks that wait until fewer are in flight.', () => client.waiting);
  meter.meter.observed(
    {
      name: 'arrokoth_callback_redirects_refused_total',
      help: 'Redirects of callbacks that led to an address inside, and were not followed.',
      type: 'counter',
    },
    () => client.redirectsRefused,
  );
  return client;
}

function callbackBackends({ live, logger, meter }: WorkerDoors): CallbackBackends {
  const { breaker, health, dialTimeoutMs } = live.current.callback;
  const { healthyAfter, unhealthyAfter } = health;
  return new CallbackBackends({
    ...{ urls: live.current.callback, dialTimeoutMs, rules: { ...breaker, healthyAfter, unhealthyAfter } },
    ...{ clock: systemClock, random: systemRandom, logger, meter: meter.meter },
    checks: health.path !== null,
  });
}

/** With a client of their own, so that checks never wait behind callbacks. */
function keepChecking(
  { live }: WorkerDoors,
  backends: CallbackBackends,
  rules: (config: Config) => HttpClientRules,
): void {
  const { health } = live.current.callback;
  const { path } = health;
  const rulesOfChecks = (config: Config): HttpClientRules => {
    return { ...rules(config), maxInFlight: LIMITS.backendsMax, maxQueued: 0 };
  };
  if (path === null) {
    live.onChange(({ callback }) => void backends.replace(callback, callback.dialTimeoutMs));
    return;
  }
  const client = new HttpClient({ ...rulesOfChecks(live.current), timers: systemTimers });
  const doors = { backends, client, timers: systemTimers, random: systemRandom };
  const begin = () => checkBackends({ ...doors, health: { ...health, path } });
  let checks = begin();
  live.onChange((now) => {
    client.adjust(rulesOfChecks(now));
    if (!backends.replace(now.callback, now.callback.dialTimeoutMs)) return;
    checks.cancel();
    checks = begin();
  });
}
