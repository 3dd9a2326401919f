/** What becomes of a message for a client that does not keep up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type QueueFacts, slowClientVerdict } from './slow-client.ts';

const facts: QueueFacts = {
  queuedBytes: 50,
  queuedMessages: 2,
  frameBytes: 10,
  policy: 'close',
  queueBytesMax: 100,
  queueMessagesMax: 3,
};

describe('slowClientVerdict', () => {
  it('accepts up to both bounds, inclusive', () => {
    expect(slowClientVerdict(facts)).toBe('accept');
    expect(slowClientVerdict({ ...facts, frameBytes: 50 })).toBe('accept');
    expect(slowClientVerdict({ ...facts, frameBytes: 51 })).toBe('close');
    expect(slowClientVerdict({ ...facts, queuedMessages: 3 })).toBe('close');
  });

  it('then does what the policy says', () => {
    const full = { ...facts, queuedMessages: 3 };
    expect(slowClientVerdict({ ...full, policy: 'drop_newest' })).toBe('refuse');
    expect(slowClientVerdict({ ...full, policy: 'drop_oldest' })).toBe('drop_oldest');
  });

  it('accepts a message of any size into an empty queue', () => {
    const empty = { ...facts, queuedBytes: 0, queuedMessages: 0, frameBytes: 1_000 };
    expect(slowClientVerdict(empty)).toBe('accept');
  });

  it('comes to an end when the oldest are dropped one by one', () => {
    const queue = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 20 });
    fc.assert(
      fc.property(queue, fc.integer({ min: 1, max: 500 }), (frames, frameBytes) => {
        const queued = [...frames];
        const ask = () =>
          slowClientVerdict({
            ...facts,
            policy: 'drop_oldest',
            queuedBytes: queued.reduce((sum, bytes) => sum + bytes, 0),
            queuedMessages: queued.length,
            frameBytes,
          });
        while (ask() === 'drop_oldest') expect(queued.shift()).toBeDefined();
        expect(ask()).toBe('accept');
      }),
    );
  });
});
