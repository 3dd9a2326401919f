/** `trusted_proxies`: absent and empty are different answers, and every wrong entry is named. */
import { expect, it } from 'vitest';
import { parseConfig } from '../load.ts';

function load(text: string) {
  const outcome = parseConfig({ text, path: 'config.yml', env: { NET: '10.0.0.0/8' } });
  return outcome.ok ? outcome.value.config.trustedProxies : outcome.error.map(({ message }) => message);
}

it.each(['port: 0', 'trusted_proxies:', 'trusted_proxies: ""'])('is null in %j', (text) => {
  expect(load(text)).toBeNull();
});

it.each([
  ['[]', []],
  ['[unix, 127.0.0.1, "2001:db8::/32"]', ['unix', '127.0.0.1', '2001:db8::/32']],
  [`["\${NET}"]`, ['10.0.0.0/8']],
])('takes %s', (list, entries) => {
  expect(load(`trusted_proxies: ${list}`)).toEqual(entries);
});

const EXPECTED = 'expected an address such as 10.0.0.5, a range such as 10.0.0.0/8, or unix';

it.each([
  ['10.0.0.0/8', ['expected a list such as [10.0.0.0/8], got "10.0.0.0/8"']],
  ['{ a: b }', ['expected a list such as [10.0.0.0/8], got a mapping']],
  [
    '[proxy, 10.1.0.0/8]',
    [
      `${EXPECTED}, got "proxy" (it is not an IP address)`,
      `${EXPECTED}, got "10.1.0.0/8" (it has bits behind its prefix; 10.0.0.0/8 would be a range)`,
    ],
  ],
  ['[[10.0.0.1], ""]', [`${EXPECTED}, got a list`, `${EXPECTED}, got nothing`]],
  [`[${'::1, '.repeat(1_001)}]`, ['expected at most 1000 entries, got 1001']],
])('refuses %#', (list, problems) => {
  expect(load(`trusted_proxies: ${list}`)).toEqual(problems);
});

it('is needed beside proxy_protocol: required', () => {
  const message = 'expected trusted_proxies beside it: nobody else may connect then';
  expect(load('proxy_protocol: required')).toEqual([message]);
  expect(load('proxy_protocol: required\ntrusted_proxies: []')).toEqual([message]);
  expect(load('proxy_protocol: required\ntrusted_proxies: [unix]')).toEqual(['unix']);
  expect(load('proxy_protocol: off')).toBeNull();
});
