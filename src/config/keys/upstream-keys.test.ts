/** `upstream`: what is taken, and what would be useless, endless or a hole. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../load.ts';

const load = (text: string) => parseConfig({ text, path: 'config.yml', env: {} });
const upstreamOf = (text: string) => {
  const outcome = load(text);
  return outcome.ok ? outcome.value.config.upstream : outcome.error.map(({ message }) => message);
};

it('is off until a backend is named', () => {
  expect(upstreamOf('')).toMatchObject({ backends: null, host: 'client', callbackPaths: 'refuse' });
});

it('takes one backend or several, and keeps their origins', () => {
  expect(upstreamOf('upstream: { backends: "http://APP.example:80/" }')).toMatchObject({
    backends: ['http://app.example'],
  });
  const text = 'upstream: { backends: [http://127.0.0.1:8080, "https://[::1]:8443"], websockets: 0 }';
  expect(upstreamOf(text)).toMatchObject({
    backends: ['http://127.0.0.1:8080', 'https://[::1]:8443'],
    tunnelsMax: 0,
  });
});

describe('refuses', () => {
  const backends = 'upstream: { backends: http://127.0.0.1:8080 }';
  it.each([
    ['upstream: { backends: http://a/app }', /scheme, host and port only/],
    ['upstream: { backends: "http://a/?x" }', /scheme, host and port only/],
    ['upstream: { backends: "http://u:p@a/" }', /scheme, host and port only/],
    ['upstream: { backends: http://127.0.0.1:9180 }', /a listener of this node/],
    ['upstream: { backends: http://localhost:9180 }', /a listener of this node/],
    ['upstream: { backends: http://10.0.0.5:9180 }\nhost: 10.0.0.5', /a listener of this node/],
    [
      'upstream: { backends: "http://[::1]:9181" }\napp: { listen: 127.0.0.1:9181 }',
      /a listener of this node/,
    ],
    ['upstream: { backends: https://127.0.0.1 }\napi: { listen: 127.0.0.1:443 }', /a listener of this node/],
    [`${backends}\npath: { ping: / }`, /a path below "\/"/],
    [`${backends}\ncallback: { connect: http://127.0.0.1:8080 }`, /a path below "\/"/],
    [`${backends}\ncallback: { close: "http://x/?event=close" }`, /a path below "\/"/],
    ['upstream: { backends: http://a, breaker: { rest: 1m } }', /at most rest_max/],
    ['upstream: { max_in_flight: 0 }', /whole number from 1/],
  ])('%s', (text, message) => {
    expect(upstreamOf(text)).toEqual([expect.stringMatching(message)]);
  });
});

it('takes another host at the same port, and a socket in place of a port', () => {
  expect(upstreamOf('upstream: { backends: http://10.0.0.6:9180 }\nhost: 10.0.0.5')).toHaveProperty(
    'backends',
  );
  expect(upstreamOf('upstream: { backends: http://127.0.0.1:9180 }\nsock: /tmp/a.sock')).toHaveProperty(
    'backends',
  );
});

it('warns when callbacks can be forged', () => {
  const warningsOf = (text: string) => {
    const outcome = load(`host: 127.0.0.1\ncallback: { connect: http://a:1${text}`);
    return outcome.ok ? outcome.value.warnings : outcome.error;
  };
  const open = 'upstream: { backends: http://a:1, callback_paths: allow }';
  const signed = `, signing_keys: [${'k'.repeat(32)}] }\n${open}`;
  expect(warningsOf(`/x }\n${open}`)).toEqual([expect.stringMatching(/forge/)]);
  expect(warningsOf(signed)).toEqual([]);
  expect(warningsOf('/x }\nupstream: { backends: http://a:1 }')).toEqual([]);
});
