/** Lists of backends, and the groups about them: what they mean and what is wrong with them. */
import { describe, expect, it } from 'vitest';
import type { CallbackConfig } from '../config.ts';
import { parseConfig } from '../load.ts';
import { formatProblems } from '../text/problem.ts';

function callback(text: string): CallbackConfig {
  const outcome = parseConfig({ text: `callback: { ${text} }`, path: 'config.yml', env: {} });
  if (!outcome.ok) throw new Error(formatProblems('config.yml', outcome.error).join('\n'));
  return outcome.value.config.callback;
}

function complaints(text: string): string[] {
  const outcome = parseConfig({ text: `callback: { ${text} }`, path: 'config.yml', env: {} });
  return outcome.ok ? [] : outcome.error.map(({ key, message }) => `${key}: ${message}`);
}

describe('a list of backends', () => {
  it('is one URL, several of them, or nothing', () => {
    expect(callback('connect: "http://a/c"').connect).toEqual(['http://a/c']);
    expect(callback('connect: ["http://a/c", "https://b:81/d"]').connect).toEqual([
      'http://a/c',
      'https://b:81/d',
    ]);
    expect(callback('connect: ""').connect).toBeNull();
    expect(callback('').connect).toBeNull();
  });

  it.each([
    ['connect: []', 'callback.connect: expected 1 to 16 URLs (leave the key out for none), got 0'],
    [
      'connect: ["http://a/", b]',
      'callback.connect.1: expected an absolute URL such as http://127.0.0.1:12346/connect, got "b"',
    ],
    ['close: ["http://a/", ""]', 'callback.close.1: expected an absolute URL such as'],
    ['close: [{ url: "http://a/" }]', 'callback.close.0: expected a single value, got a mapping'],
    ['close: { url: "http://a/" }', 'callback.close: expected a single value, got a mapping'],
    [
      'connect: ["http://a:80/x", "http://b/", "http://A/y"]',
      'callback.connect.2: expected each scheme, host and port once, got http://a again',
    ],
  ])('%s is refused', (text, message) => {
    const [complaint, ...others] = complaints(text);
    expect(complaint).toContain(message);
    expect(others).toEqual([]);
  });

  it('is bounded', () => {
    const urls = Array.from({ length: 17 }, (_, n) => `"http://host${n}/"`);
    expect(complaints(`connect: [${urls.join(', ')}]`).join()).toContain('expected 1 to 16 URLs');
    expect(callback(`connect: [${urls.slice(1).join(', ')}]`).connect).toHaveLength(16);
  });

  it('is bounded together with the other lists', () => {
    const list = (name: string) =>
      `[${Array.from({ length: 9 }, (_, n) => `"http://${name}${n}/"`).join(', ')}]`;
    expect(complaints(`connect: ${list('a')}, close: ${list('b')}`)).toEqual([
      'callback: expected at most 16 different backends in all lists, got 18',
    ]);
    expect(complaints(`connect: ${list('a')}, close: ${list('a')}`)).toEqual([]);
  });

  it('never repeats a password', () => {
    expect(complaints('connect: ["http://a/", "htp://user:hunter2@b/"]').join()).not.toContain('hunter2');
  });
});

describe('health and breaker', () => {
  it('are off and on by themselves', () => {
    expect(callback('').health.path).toBeNull();
    expect(callback('breaker: { failure_percent: 25, rest: 2s }').breaker).toMatchObject({
      failuresInRow: 5,
      failureRate: 0.25,
      openMs: 2_000,
      openMaxMs: 30_000,
    });
  });

  it.each([
    ['204', { min: 204, max: 204 }],
    ['3xx', { min: 300, max: 399 }],
    ['"2XX"', { min: 200, max: 299 }],
  ])('take %s as good statuses', (text, range) => {
    expect(callback(`health: { path: "/up?deep=1", status: ${text} }`).health).toMatchObject({
      path: '/up?deep=1',
      status: range,
    });
  });

  it.each([
    ['health: { status: 20x }', 'callback.health.status: expected a status such as 200, or a class of them'],
    ['health: { status: 99 }', 'callback.health.status: expected a status'],
    ['health: { path: up }', 'callback.health.path: expected a path that starts with "/"'],
    ['health: { path: "/a#b" }', 'callback.health.path: expected a path that starts with "/"'],
    ['health: { interval: 10ms }', 'callback.health.interval: expected a duration that is at least 100ms'],
    [
      'health: { intervall: 1s }',
      'callback.health.intervall: unknown key, did you mean callback.health.interval?',
    ],
    ['health: /up', 'callback.health: expected a mapping of keys, got "/up"'],
    ['breaker: { rest: 1m }', 'callback.breaker.rest: expected at most rest_max'],
    ['breaker: { zzz: 1 }', 'callback.breaker.zzz: unknown key; known here are failures, failure_percent'],
  ])('%s is refused', (text, message) => {
    const [complaint, ...others] = complaints(text);
    expect(complaint).toContain(message);
    expect(others).toEqual([]);
  });
});
