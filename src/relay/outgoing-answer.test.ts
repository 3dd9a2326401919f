/** The recurring shapes of answers. */
import { expect, it } from 'vitest';
import { statusAnswer, unavailableAnswer } from './outgoing-answer.ts';

it('refuses in words that are never taken for HTML', () => {
  expect(statusAnswer(502)).toEqual({
    status: 502,
    headers: ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'],
    body: 'Bad Gateway\n',
  });
});

it('says why not now, and when to come back', () => {
  expect(unavailableAnswer('the node is stopping', 5)).toMatchObject({
    status: 503,
    headers: expect.arrayContaining(['Retry-After', '5']),
    body: 'Service Unavailable: the node is stopping\n',
  });
});
