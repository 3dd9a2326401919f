/** Whatever a client sends, the application can trust the headers that bear this node's names. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ConnectionId } from '../../base/index.ts';
import { type CallbackSettings, connectCallback } from './callback-requests.ts';

const settings: CallbackSettings = {
  sessionHeader: 'X-App-Session',
  channelHeader: 'X-App-Channel',
  proxySetHeader: [{ name: 'X-Set', value: 'set' }],
  endpoint: 'localhost:9180',
  callback: { connect: ['http://app/connect'], establish: null, receive: null, close: null },
};
const OURS = [
  'X-Kuiperbelt-Endpoint',
  'X-Kuiperbelt-Session',
  'X-App-Session',
  'X-App-Channel',
  'X-Arrokoth-Connection',
  'X-Request-Id',
  'X-Forwarded-For',
  'X-Forwarded-Server',
  'X-Real-IP',
  'Forwarded',
  'Sec-WebSocket-Key',
  'Connection',
  'Host',
  'Transfer-Encoding',
];

/** A reserved name in some letter case, with dashes and underscores mixed. */
const disguised = fc
  .tuple(fc.constantFrom(...OURS), fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }))
  .map(([name, flips]) =>
    [...name]
      .map((letter, at) => (flips[at] ? (letter === '-' ? '_' : letter.toUpperCase()) : letter))
      .join(''),
  );
const anyName = fc.oneof(disguised, fc.string(), fc.string({ unit: 'binary' }));
const anyValue = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\r', '\n', '\0', 'a', ':', ' ', '\u2028') }),
);

it('lets no client speak in this node’s name, nor split a line', () => {
  const headers = fc.array(fc.tuple(anyName, anyValue), { maxLength: 20 });
  fc.assert(
    fc.property(headers, fc.string(), (lines, query) => {
      const request = connectCallback(settings, {
        method: 'GET',
        query,
        rawHeaders: lines.flat(),
        forwarded: ['X-Forwarded-For', '192.0.2.1'],
        tls: null,
        connectionId: 'c1' as ConnectionId,
        requestId: 'r1',
      });
      const sent = request?.headers ?? [];
      expect(sent.length % 2).toBe(0);
      expect(sent.every((text) => !/[\r\n\0]/.test(text))).toBe(true);
      const byName = new Map<string, string[]>();
      for (let at = 0; at < sent.length; at += 2) {
        const name = (sent[at] as string).toLowerCase().replaceAll('_', '-');
        byName.set(name, [...(byName.get(name) ?? []), sent[at + 1] as string]);
      }
      const reserved = [...byName].filter(
        ([name]) =>
          /^(x-kuiperbelt-|x-arrokoth-|sec-websocket|x-forwarded-)/.test(name) ||
          OURS.some((our) => our.toLowerCase() === name),
      );
      expect(Object.fromEntries(reserved)).toEqual({
        'x-kuiperbelt-endpoint': ['localhost:9180'],
        'x-arrokoth-connection': ['c1'],
        'x-request-id': ['r1'],
        'x-forwarded-for': ['192.0.2.1'],
      });
      expect(byName.get('x-set')).toContain('set');
      expect(request?.url.startsWith('http://app/connect')).toBe(true);
      expect(request?.url.includes('#')).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});
