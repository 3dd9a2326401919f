/** Whatever happens in whatever order: no hot loop, no lost wish, nothing after an end. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Life, type SocketInput, step, UNBORN } from './reconnection.ts';

const BOUNDS = {
  backoffMs: 100,
  backoffMaxMs: 3_000,
  retryAfterMaxMs: 60_000,
  handshakeTimeoutMs: 2_000,
  stableMs: 500,
  canProbe: true,
  reconnectOn: [],
};
const STOPPED = ['closed', 'replaced', 'refused'];

/** What may happen in a state; the rest cannot, because nobody listens to old sockets. */
function possible(life: Life): SocketInput['type'][] {
  const always = ['connect', 'close', 'online', 'visible'] as const;
  if (life.state === 'open') return [...always, 'ended'];
  if (life.state === 'waiting') return [...always, 'timer'];
  if (life.state !== 'connecting') return [...always];
  return life.probing
    ? [...always, 'probed', 'timer']
    : [...always, 'opened', 'ended', 'impossible', 'timer'];
}

function inputOf(type: SocketInput['type'], code: number, retryAfterMs: number | null): SocketInput {
  if (type === 'ended') return { type, code, reason: '' };
  if (type === 'impossible') return { type, reason: '' };
  if (type === 'probed') return { type, httpStatus: 503, retryAfterMs };
  return { type };
}

const event = fc.record({
  choice: fc.nat(),
  code: fc.oneof(
    fc.constantFrom(1000, 1001, 1006, 1008, 1012, 1013, 4409),
    fc.integer({ min: 1000, max: 4999 }),
  ),
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 100_000 })),
  passMs: fc.integer({ min: 0, max: 5_000 }),
  fraction: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  online: fc.boolean(),
});

it('keeps its promises over every history', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      let life = UNBORN;
      let nowMs = 0;
      for (const { choice, code, retryAfterMs, passMs, fraction, online } of events) {
        const types = possible(life);
        const type = types[choice % types.length] as SocketInput['type'];
        // A timer comes when it is due, everything else before.
        const dueMs = life.wakeAtMs ?? Number.POSITIVE_INFINITY;
        nowMs = Math.max(nowMs, type === 'timer' ? dueMs : Math.min(nowMs + passMs, dueMs));
        const before = life;
        const [after, order] = step(BOUNDS, before, inputOf(type, code, retryAfterMs), {
          nowMs,
          fraction,
          online,
        });
        life = after;

        if (STOPPED.includes(before.state) && type !== 'connect') expect(order).not.toBe('open');
        if (before.state === 'waiting' && order === 'open')
          expect(nowMs).toBeGreaterThanOrEqual(before.notBeforeMs);
        expect(order === 'open').toBe(after.state === 'connecting' && before.state !== 'connecting');
        expect(after.wakeAtMs === null).toBe([...STOPPED, 'open'].includes(after.state));
        if (after.state === 'waiting') {
          const wakeAtMs = after.wakeAtMs as number;
          expect(wakeAtMs).toBeGreaterThanOrEqual(after.notBeforeMs);
          expect(wakeAtMs - nowMs).toBeLessThanOrEqual(BOUNDS.retryAfterMaxMs + BOUNDS.backoffMaxMs);
        }
        if (after.probing) expect(after.state).toBe('connecting');
      }
    }),
  );
});
