/** Addresses to listen on, and who can reach them. */
import { describe, expect, it } from 'vitest';
import { formatTcpAddress, isHost, isLoopback, parseTcpAddress } from './tcp-address.ts';

describe('parseTcpAddress', () => {
  it.each([
    ['127.0.0.1:9181', { host: '127.0.0.1', port: 9_181 }],
    [':9181', { host: null, port: 9_181 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['node-1.example:80', { host: 'node-1.example', port: 80 }],
  ])('reads %s, and writes it back', (text, expected) => {
    expect(parseTcpAddress(text)).toEqual({ ok: true, value: expected });
    expect(formatTcpAddress(expected)).toBe(text);
  });

  it.each([
    '',
    '9181',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '::1:80',
    '[127.0.0.1]:80',
    '[]:80',
    '[::1%lo]:80',
    '[1:2]:80',
    '[]@[::1]:80',
    '1.2.3:80',
    '300.1.1.1:80',
    'a b:80',
    'http://a:80',
    '-a:80',
    `${'a'.repeat(254)}:80`,
  ])('refuses %j', (text) => {
    expect(parseTcpAddress(text).ok).toBe(false);
  });
});

it('knows hosts from other text', () => {
  expect(['::1', '10.0.0.1', 'localhost', 'a_b.c-d'].map(isHost)).toEqual([true, true, true, true]);
  expect(['', 'a..b', '1.2.3.4.5', 'a/b', 'a-', '::1]', '1.2.3.256'].map(isHost)).not.toContain(true);
});

it('knows which listeners only this host can reach', () => {
  expect(
    ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '0:0::1', '::ffff:127.0.0.1', '::FFFF:7f01:2'].map(
      isLoopback,
    ),
  ).not.toContain(false);
  expect(
    [
      null,
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'example.com',
      '128.0.0.1',
      '::2',
      '::ffff:10.0.0.1',
      '127.example.com',
    ].map(isLoopback),
  ).not.toContain(true);
});
