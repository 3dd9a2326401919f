/** At which addresses the port for other nodes may be opened. */
import { expect, it } from 'vitest';
import { checkExposure } from './exposure.ts';

const NOTHING = { hasSecrets: false, requiresCertificates: false };

it.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])(
  'needs no protection at %s',
  (host) => {
    expect(checkExposure({ host, ...NOTHING }).ok).toBe(true);
  },
);

it.each([
  null,
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '128.0.0.1',
  '::2',
  'node-1',
  'localhost.example',
  '127.0.0.1.example',
  '',
])('needs a secret or certificates at %s', (host) => {
  const refused = checkExposure({ host, ...NOTHING });
  expect(refused.ok).toBe(false);
  if (!refused.ok)
    expect(refused.error.message).toContain(host === null ? 'all interfaces' : `on ${host} needs`);
  expect(checkExposure({ host, ...NOTHING, hasSecrets: true }).ok).toBe(true);
  expect(checkExposure({ host, ...NOTHING, requiresCertificates: true }).ok).toBe(true);
});
