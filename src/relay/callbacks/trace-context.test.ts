/** Trace context: what is believed, what is passed on, what is made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConnectionId, IdSource } from '../../base/index.ts';
import { inTrace, readTrace, spanIdOf, traceIdOf } from './trace-context.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

describe('readTrace', () => {
  it.each([
    [`00-${ID}-${PARENT}-00`, false],
    [`00-${ID}-${PARENT}-01`, true],
    [`00-${ID}-${PARENT}-03`, true],
    [`00-${ID}-${PARENT}-fe`, false],
    [`01-${ID}-${PARENT}-01`, true],
    [`cc-${ID}-${PARENT}-01-what.comes-later`, true],
  ])('believes %s', (line, sampled) => {
    expect(readTrace([line], [])).toEqual({ id: ID, sampled, state: null });
  });

  it.each([
    [],
    [''],
    [ID],
    [`00-${ID}-${PARENT}`],
    [`00-${ID}-${PARENT}-01-`],
    [`00-${ID}-${PARENT}-01-more`],
    [`01-${ID}-${PARENT}-01more`],
    [`ff-${ID}-${PARENT}-01`],
    [`00-${ID.toUpperCase()}-${PARENT}-01`],
    [`00-${'0'.repeat(32)}-${PARENT}-01`],
    [`00-${ID}-${'0'.repeat(16)}-01`],
    [`00-${ID.slice(1)}-${PARENT}-01`],
    [`00-${ID}g-${PARENT}-01`],
    [`00-${ID}-${PARENT}-1`],
    [` 00-${ID}-${PARENT}-01`],
    [`00-${ID}-${PARENT}-01\n`],
    [`00-${ID}-${PARENT}-01`, `00-${ID}-${PARENT}-01`],
  ])('does not believe %j', (...lines: string[]) => {
    expect(readTrace(lines, ['a=1'])).toBeNull();
  });

  const stateOf = (...lines: string[]): string | null | undefined =>
    readTrace([`00-${ID}-${PARENT}-01`], lines)?.state;

  it('passes the state on, its lines joined and its spaces gone', () => {
    expect(stateOf('rojo=00f067aa0ba902b7, congo=t61rcWkgMzE ', '\tt@vendor/x=a b')).toBe(
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,t@vendor/x=a b',
    );
    expect(stateOf('', ' , ,')).toBeNull();
  });

  it.each([['novalue'], ['Upper=1'], ['a=1,a=2'], ['a=\u00e9'], ['a=b=c'], ['=1'], ['a=']])(
    'leaves out the state %j, and keeps the trace',
    (state) => {
      expect(readTrace([`00-${ID}-${PARENT}-01`], [state])).toEqual({ id: ID, sampled: true, state: null });
    },
  );

  it('reads no more than 64 elements of 64 lines, empty ones included', () => {
    const stateOf = (lines: string[]) => readTrace([`00-${ID}-${PARENT}-01`], lines)?.state;
    expect(stateOf([`${','.repeat(63)}a=1`, ...Array(62).fill(''), 'b=2'])).toBe('a=1,b=2');
    expect(stateOf([`${','.repeat(64)}a=1`, ...Array(63).fill(''), 'b=2'])).toBeNull();
  });

  it('bounds the state: 32 members, 512 characters, the newest first', () => {
    const members = (count: number, length: number): string[] =>
      Array.from({ length: count }, (_, index) => `k${index}=`.padEnd(length, 'v'));
    expect(stateOf(members(32, 5).join(','))?.split(',')).toHaveLength(32);
    expect(stateOf(members(33, 5).join(','))).toBeNull();
    const kept = stateOf(members(10, 100).join(','));
    expect(kept).toBe(members(5, 100).join(','));
    // Nothing older may take the place of what was left out.
    expect(stateOf([...members(5, 110), 'z=1'].join(','))).toBe(members(4, 110).join(','));
  });
});

describe('ids', () => {
  const connectionAt = (wallMs: number, random: Uint8Array): ConnectionId =>
    new IdSource({
      clock: { wallMs: () => wallMs, monotonicMs: () => 0 },
      random: { bytes: () => random, fraction: () => 0 },
    }).connection();

  it('of a trace hold the time and the randomness of the connection', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 48 - 1 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (wallMs, random) => {
          const wanted = wallMs.toString(16).padStart(12, '0') + hexOf(random);
          expect(traceIdOf(connectionAt(wallMs, random))).toBe(wanted);
        },
      ),
    );
  });

  it('of a span are the bytes, and never all zero', () => {
    expect(spanIdOf(Uint8Array.of(0, 1, 2, 0x7f, 0x80, 0xff, 9, 10))).toBe('0001027f80ff090a');
    expect(spanIdOf(new Uint8Array(8))).toMatch(/^0+1$/);
  });
});

describe('inTrace', () => {
  it('says the trace once, in place of whatever was said before', () => {
    const headers = ['TraceParent', 'old', 'Cookie', 'a=1', 'tracestate', 'x=1', 'TRACESTATE', 'y=1'];
    expect(inTrace(headers, { id: ID, sampled: true, state: 'a=1' }, PARENT)).toEqual([
      ...['Cookie', 'a=1', 'traceparent', `00-${ID}-${PARENT}-01`, 'tracestate', 'a=1'],
    ]);
    expect(inTrace(headers, { id: ID, sampled: false, state: null }, PARENT)).toEqual([
      ...['Cookie', 'a=1', 'traceparent', `00-${ID}-${PARENT}-00`],
    ]);
  });

  it('leaves the lines that it was given alone, and values that look like names', () => {
    const headers = ['Cookie', 'traceparent'];
    expect(inTrace(headers, { id: ID, sampled: false, state: null }, PARENT)).toEqual([
      ...['Cookie', 'traceparent', 'traceparent', `00-${ID}-${PARENT}-00`],
    ]);
    expect(headers).toEqual(['Cookie', 'traceparent']);
  });
});
