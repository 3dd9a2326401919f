/** Which session keys are watched on a node, and who is told of them. */
import { describe, expect, it } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import type { ToWorker } from '../process/index.ts';
import { readWatchOrder, Watches } from './watches.ts';
import type { Worker } from './worker.ts';

function worker(kind: 'gateway' | 'api') {
  const told: ToWorker[] = [];
  const process = { send: (message: ToWorker) => told.push(message) };
  return { told, worker: { place: { kind }, process } as unknown as Worker };
}

describe('watches', () => {
  it('are told to every gateway, and to those that come later, with the time that is left', () => {
    const clock = new FakeTime();
    const [first, later, api] = [worker('gateway'), worker('gateway'), worker('api')];
    const watches = new Watches({ clock, workers: () => [first.worker, api.worker] });
    const watched = [{ key: 'alice', forMs: 10_000 }];
    expect(watches.order({ key: 'alice', forMs: 10_000 })).toEqual({ ok: true, value: { watched } });
    expect([first.told, api.told]).toEqual([[{ type: 'watch', keys: watched }], []]);
    clock.advance(4_000);
    watches.tell(later.worker);
    expect(later.told).toEqual([{ type: 'watch', keys: [{ key: 'alice', forMs: 6_000 }] }]);
    clock.advance(6_000);
    watches.tell(later.worker);
    expect(later.told.at(-1)).toEqual({ type: 'watch', keys: [] });
  });

  it('can be prolonged and stopped, and are bounded in number', () => {
    const watches = new Watches({ clock: new FakeTime(), workers: () => [] });
    for (let number = 0; number < LIMITS.watchedKeysMax; number++) {
      expect(watches.order({ key: `k${number}`, forMs: 1_000 }).ok).toBe(true);
    }
    expect(watches.order({ key: 'one more', forMs: 1_000 })).toMatchObject({ ok: false });
    expect(watches.order({ key: 'k0', forMs: 5_000 })).toMatchObject({ ok: true });
    const left = watches.order({ key: 'k1', forMs: 0 });
    expect(left).toMatchObject({ ok: true, value: { watched: { length: LIMITS.watchedKeysMax - 1 } } });
    expect(watches.order({ key: 'one more', forMs: 1_000 }).ok).toBe(true);
  });
});

it('reads orders of any shape', () => {
  expect(readWatchOrder({ key: 'alice', forMs: 1 })).toEqual({ key: 'alice', forMs: 1 });
  const wrong = [null, 'alice', {}, { key: '', forMs: 1 }, { key: 'a', forMs: -1 }, { key: 'a', forMs: '1' }];
  const tooMuch = [
    { key: 'a', forMs: LIMITS.watchMaxMs + 1 },
    { key: 'a'.repeat(LIMITS.watchedKeyCharactersMax + 1), forMs: 1 },
    { key: 'a', forMs: Number.NaN },
  ];
  for (const given of [...wrong, ...tooMuch]) expect(readWatchOrder(given)).toBeNull();
});
