/** A repeat that got into the log nevertheless is handed out as a no-op, at its place. */
import { expect, it } from 'vitest';
import { Replica } from './replica.ts';
import { REPLICA_DEFAULTS } from './settings.ts';
import type { Entry } from './types.ts';

it('hands out the second of two entries with one request id as a no-op', () => {
  const founded = Replica.found({ name: 'a', storage: 'a1', incarnation: 'cluster', knows: { put: 1 } });
  const repeat = (index: number): Entry => ({
    index,
    ballot: 1,
    payload: { type: 'changes', kind: 'put', version: 1, requestId: 'r1', changes: [] },
  });
  const restored = { ...founded, entries: [...founded.entries, repeat(2), repeat(3)] };
  const options = { name: 'a', storage: 'a1', knows: { put: 1 }, settings: REPLICA_DEFAULTS, restored };
  const replica = new Replica({ ...options, random: () => 0.5, startMs: 0 });
  const types: string[] = [];
  replica.tick(0);
  for (let turn = 0; turn < 5; turn++) {
    const output = replica.take();
    types.push(...output.commit.map(({ payload }) => payload.type));
    replica.persisted(output.sendAfterToken);
  }
  expect(types).toEqual(['members', 'changes', 'noop', 'noop']);
});
