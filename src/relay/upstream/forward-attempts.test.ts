/** When a request may be made again, and what its client hears when it may not. */
import { expect, it } from 'vitest';
import {
  type AttemptFacts,
  forwardFailureAnswer,
  mayTryAgain,
  upstreamBusyAnswer,
} from './forward-attempts.ts';

const REACHED: AttemptFacts = {
  method: 'GET',
  hasBody: false,
  dialFailed: false,
  reused: true,
  answered: false,
};

it.each<[boolean, Partial<AttemptFacts>]>([
  [true, {}],
  [true, { method: 'HEAD' }],
  [true, { method: 'OPTIONS' }],
  [false, { method: 'POST' }],
  [false, { method: 'DELETE' }],
  [false, { method: 'get' }],
  [false, { hasBody: true }],
  [false, { reused: false }],
  [false, { answered: true }],
  [true, { dialFailed: true, method: 'POST', hasBody: true, reused: false }],
])('is %s for %j', (expected, facts) => {
  expect(mayTryAgain({ ...REACHED, ...facts })).toBe(expected);
});

it('tells lateness from failure, and when to come again', () => {
  const statusOf = (kind: Parameters<typeof forwardFailureAnswer>[0]) => forwardFailureAnswer(kind).status;
  expect(statusOf('connect_timeout')).toBe(504);
  expect(statusOf('response_timeout')).toBe(504);
  expect(statusOf('stalled')).toBe(504);
  expect(statusOf('unreachable')).toBe(502);
  expect(statusOf('closed')).toBe(502);
  expect(statusOf('malformed')).toBe(502);
  expect(statusOf('cut')).toBe(502);
  expect(upstreamBusyAnswer('all rest', 7)).toMatchObject({
    status: 503,
    headers: expect.arrayContaining(['Retry-After', '7']),
  });
});
