/**
 * Keeps what is shown to TLS clients as fresh as the files that it came from, and says how it went.
 *
 * Joins an identity that `net/` keeps with the files that `system/` looks at. Workers of a node and the
 * port of a replicated log use it alike; who speaks TLS to whom is theirs.
 */
import { type Cancellable, LIMITS, type Logger, type Meter } from '../base/index.ts';
import type { TlsConfig } from '../config/index.ts';
import { readTlsMaterial, type TlsIdentity } from '../net/index.ts';
import { readSmallFile, systemClock, systemTimers, watchFiles } from '../system/index.ts';
import { TlsReloads } from './tls-reloads.ts';

/** Begins to look after the files of `config`. */
export function watchTls(
  config: TlsConfig,
  identity: TlsIdentity,
  { logger, meter }: { readonly logger: Logger; readonly meter: Meter },
): Cancellable {
  const reloads = meter.counter({
    name: 'arrokoth_tls_reloads_total',
    help: 'Changes of certificate files, by whether the new ones could be used.',
    labels: ['outcome'],
  });
  meter.observedEach(
    {
      name: 'arrokoth_tls_certificate_expiry_timestamp_seconds',
      help: 'When a certificate expires, in seconds since 1970, by its place in `tls.certificates`.',
      labels: ['certificate'],
    },
    () => identity.facts.map((facts, index) => [{ certificate: String(index) }, facts.expiresAtMs / 1_000]),
  );
  const taken = new TlsReloads({
    identity,
    read: () => readTlsMaterial(config, readSmallFile, systemClock.wallMs()),
    clock: systemClock,
    logger,
    reloaded: (outcome) => reloads.add(1, { outcome }),
  });
  return watchFiles(pathsOf(config), {
    timers: systemTimers,
    periodMs: LIMITS.tlsFilesPeriodMs,
    looked: (changed) => taken.looked(changed),
  });
}

/** All files that a configuration names. */
function pathsOf({ certificates, clientCa }: TlsConfig): string[] {
  const pairs = certificates.flatMap(({ cert, key }) => [cert, key]);
  return clientCa === null ? pairs : [...pairs, clientCa];
}
