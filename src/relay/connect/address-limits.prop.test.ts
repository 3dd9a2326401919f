import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessagePace } from '../delivery/message-pace.ts';
import { AddressLimits } from './address-limits.ts';

const passing = fc.array(fc.tuple(fc.nat(400), fc.constantFrom('a', 'b', 'c')), { maxLength: 200 });

test('no address connects more often than burst and rate allow, over any stretch of time', () => {
  const bounds = { connectsPerSecond: 5, connectsBurst: 4, connectionsMax: 0, addressesMax: 3 };
  fc.assert(
    fc.property(passing, (attempts) => {
      const book = new AddressLimits(bounds);
      const admitted: { address: string; atMs: number }[] = [];
      let nowMs = 0;
      for (const [passMs, address] of attempts) {
        nowMs += passMs;
        if (book.enter(address, nowMs) === null) admitted.push({ address, atMs: nowMs });
        expect(book.size).toBeLessThanOrEqual(bounds.addressesMax);
      }
      for (const first of admitted) {
        const since = admitted.filter(({ address, atMs }) => address === first.address && atMs >= first.atMs);
        since.forEach(({ atMs }, index) => {
          const allowed = bounds.connectsBurst + ((atMs - first.atMs) / 1_000) * bounds.connectsPerSecond;
          expect(index + 1).toBeLessThanOrEqual(allowed + 1e-6);
        });
      }
    }),
  );
});

test('connections never exceed their bound, and nothing is left of those that ended', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c')), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (history) => {
      const book = new AddressLimits({
        connectsPerSecond: 0,
        connectsBurst: 1,
        connectionsMax: 3,
        addressesMax: 10,
      });
      const held = new Map<string, number>();
      for (const [enters, address] of history) {
        const count = held.get(address) ?? 0;
        if (enters) {
          const refusal = book.enter(address, 0);
          expect(refusal === null).toBe(count < 3);
          if (refusal === null) held.set(address, count + 1);
        } else if (count > 0) {
          book.leave(address);
          held.set(address, count - 1);
        }
      }
      for (const [address, count] of held) for (let left = count; left > 0; left--) book.leave(address);
      expect(book.size).toBe(0);
    }),
  );
});

test('a client that is read only while it owes nothing keeps to its rate', () => {
  const pauses = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 5 })), { maxLength: 100 });
  fc.assert(
    fc.property(pauses, (chunks) => {
      const pace = new MessagePace({ messagesPerSecond: 20, messagesBurst: 10 }, 0);
      let nowMs = 0;
      let taken = 0;
      for (const [passMs, messages] of chunks) {
        nowMs += passMs;
        if (!pace.isRepaid(nowMs)) continue;
        for (let message = 0; message < messages; message++) {
          expect(pace.spend(nowMs)).not.toBe('flood');
          taken++;
        }
        // Burst, rate, and what one chunk may bring beyond them.
        expect(taken).toBeLessThanOrEqual(10 + (nowMs / 1_000) * 20 + 5 + 1e-6);
      }
    }),
  );
});
