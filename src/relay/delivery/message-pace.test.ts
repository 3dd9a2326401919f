import { expect, it } from 'vitest';
import { MessagePace } from './message-pace.ts';

const BOUNDS = { messagesPerSecond: 10, messagesBurst: 5 };

/** The last of `count` verdicts at one moment. */
function spend(pace: MessagePace, count: number, nowMs: number): string {
  let verdict = '';
  for (let message = 0; message < count; message++) verdict = pace.spend(nowMs);
  return verdict;
}

it('lets a burst pass, and reads no further beyond it', () => {
  const pace = new MessagePace(BOUNDS, 0);
  expect(spend(pace, 5, 0)).toBe('go_on');
  expect(pace.spend(0)).toBe('pause');
});

it('reads on when the debt is repaid', () => {
  const pace = new MessagePace(BOUNDS, 0);
  spend(pace, 7, 0);
  expect(pace.isRepaid(199)).toBe(false);
  expect(pace.isRepaid(200)).toBe(true);
  expect(pace.spend(200)).toBe('pause');
});

it('never saves up more than a burst', () => {
  const pace = new MessagePace(BOUNDS, 0);
  expect(spend(pace, 5, 3_600_000)).toBe('go_on');
  expect(pace.spend(3_600_000)).toBe('pause');
});

it('takes a debt of ten seconds, or of a burst if that is more, for a flood', () => {
  const slow = new MessagePace(BOUNDS, 0);
  expect(spend(slow, 105, 0)).toBe('pause');
  expect(slow.spend(0)).toBe('flood');
  const bursting = new MessagePace({ messagesPerSecond: 1, messagesBurst: 50 }, 0);
  expect(spend(bursting, 100, 0)).toBe('pause');
  expect(bursting.spend(0)).toBe('flood');
});
