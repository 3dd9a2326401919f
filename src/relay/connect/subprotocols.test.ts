/** What clients offer as subprotocols, and what applications may choose of it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agreedProtocol, offeredProtocols } from './subprotocols.ts';

const offer = (...lines: string[]) => lines.flatMap((line) => ['Sec-WebSocket-Protocol', line]);

it.each([
  [[], []],
  [offer('chat'), ['chat']],
  [offer('v2.chat, v1.chat'), ['v2.chat', 'v1.chat']],
  [offer(' b ,a,', 'c', 'a'), ['b', 'a', 'c']],
  [['SEC-WEBSOCKET-PROTOCOL', 'chat', 'Sec-WebSocket-Key', 'x'], ['chat']],
  [offer('Chat, chat'), ['Chat', 'chat']],
  [offer('a b, "c", d\r\nX: y, é, , ok'), ['ok']],
])('reads the offer %j', (headers, protocols) => {
  expect(offeredProtocols(headers)).toEqual(protocols);
});

it('reads no more than 32 names and 4 KiB', () => {
  const many = Array.from({ length: 100 }, (_, at) => `p${at}`);
  expect(offeredProtocols(offer(many.join(',')))).toEqual(many.slice(0, 32));
  expect(offeredProtocols(offer(`${'a'.repeat(4_095)}, b, c`))).toEqual(['a'.repeat(4_095), 'b']);
});

it('reads no more than 256 elements of a line, empty ones included', () => {
  expect(offeredProtocols(offer(`${','.repeat(255)}a`, 'b'))).toEqual(['a', 'b']);
  expect(offeredProtocols(offer(`${','.repeat(256)}a`, 'b'))).toEqual(['b']);
});

it('agrees on what was offered, letter by letter, and on nothing else', () => {
  expect(agreedProtocol(offer('v2, v1'), 'v1')).toBe('v1');
  for (const choice of [null, '', 'V1', 'v3', 'v2, v1', 'v1\r\nX: y']) {
    expect(agreedProtocol(offer('v2, v1'), choice)).toBeNull();
  }
  expect(agreedProtocol([], 'v1')).toBeNull();
});

it('lets nothing through that is not a list of tokens', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.string(), (lines, choice) => {
      expect(offeredProtocols(offer(...lines)).join(', ')).toMatch(/^(?:[!-+.-~-]+(?:, [!-+.-~-]+)*)?$/);
      const agreed = agreedProtocol(offer(...lines, choice), choice);
      expect(agreed === null || /^[!-+.-~-]+$/.test(agreed)).toBe(true);
    }),
  );
});
