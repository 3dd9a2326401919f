import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdempotencyRecords } from './idempotency.ts';

const BOUNDS = { windowMs: 50, inFlightMs: 200, keysMax: 4, bytesMax: 4_000 };
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

type Step = readonly [what: 'begin' | 'finish' | 'withdraw' | 'kill' | 'wait', pick: number, passMs: number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>('begin', 'begin', 'finish', 'finish', 'withdraw', 'kill', 'wait'),
    fc.nat(1_000),
    fc.nat(40),
  ),
  { maxLength: 80 },
);

test('nothing is carried out twice within its window, and every bound holds', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const records = new IdempotencyRecords(BOUNDS);
      let nowMs = 0;
      let attempts = 0;
      let waiting = 0;
      const open: { key: string; fingerprint: string; attempt: string; run: number }[] = [];
      /** Until when a key may not be carried out again. */
      const busyUntilMs = new Map<string, number>();
      for (const [what, pick, passMs] of history as Step[]) {
        nowMs += passMs;
        const key = KEYS[pick % KEYS.length] as string;
        if (what === 'begin') {
          const attempt = { key, fingerprint: `f${pick % 2}`, attempt: `a${attempts++}` };
          const run = pick % 3;
          const { type } = records.begin(attempt, { slot: 0, run }, nowMs);
          if (type === 'first') {
            expect(nowMs).toBeGreaterThanOrEqual(busyUntilMs.get(key) ?? 0);
            busyUntilMs.set(key, nowMs + BOUNDS.inFlightMs);
            open.push({ ...attempt, run });
          }
        } else if (what === 'finish' || what === 'withdraw') {
          const [attempt] = open.splice(pick % Math.max(1, open.length), 1);
          if (attempt === undefined) continue;
          const isOpen = nowMs < (busyUntilMs.get(attempt.key) ?? 0);
          if (what === 'withdraw') {
            records.withdraw(attempt.key, attempt.attempt);
            busyUntilMs.delete(attempt.key);
          } else if (isOpen) {
            const answer =
              pick % 5 === 0 ? null : { status: 200, headers: [], body: new Uint8Array(pick * 4) };
            records.finish(attempt, answer, nowMs);
            busyUntilMs.set(attempt.key, nowMs + BOUNDS.windowMs);
          }
        } else if (what === 'kill') {
          const run = pick % 3;
          records.dropRun({ slot: 0, run }, nowMs);
          for (const lost of open.splice(0)) {
            if (lost.run !== run) open.push(lost);
            else if (nowMs < (busyUntilMs.get(lost.key) ?? 0))
              busyUntilMs.set(lost.key, nowMs + BOUNDS.windowMs);
          }
        } else {
          waiting++;
          if (!records.wait(key, () => waiting--)) waiting--;
        }
        expect(records.size).toBeLessThanOrEqual(BOUNDS.keysMax);
        // One record may begin just below the bound.
        expect(records.bytes).toBeLessThanOrEqual(BOUNDS.bytesMax + 1_024);
      }
      records.sweep(nowMs + BOUNDS.inFlightMs);
      expect({ size: records.size, bytes: records.bytes, waiting }).toEqual({
        size: 0,
        bytes: 0,
        waiting: 0,
      });
    }),
    { numRuns: 300 },
  );
});
