import { describe, expect, it } from 'vitest';
import { workerAt } from '../../../test/fakes/worker-names.ts';
import type { ConnectionId, SessionKey } from '../../base/index.ts';
import { Completeness, Directory } from './directory.ts';

const key = 'alice' as SessionKey;
const first = 'c1' as ConnectionId;
const second = 'c2' as ConnectionId;
const here = workerAt(0, 1);
const there = workerAt(1, 1);

describe('Directory', () => {
  it('gives the key to the newest connection and names the one that lost it', () => {
    const directory = new Directory(1);
    expect(directory.register({ key, connection: first, holder: here }).replaced).toBeNull();
    const { replaced } = directory.register({ key, connection: second, holder: there });
    expect(replaced).toMatchObject({ connection: first, holder: here });
    expect(directory.lookup(key)).toMatchObject({ connection: second, holder: there });
  });

  it('keeps the newer connection when the older one ends', () => {
    const directory = new Directory(1);
    directory.register({ key, connection: first, holder: here });
    directory.register({ key, connection: second, holder: there });
    directory.unregister(key, first);
    expect(directory.lookup(key)?.connection).toBe(second);
    directory.unregister(key, second);
    expect(directory.lookup(key)).toBeUndefined();
  });

  it('answers the same when a registration is repeated', () => {
    const directory = new Directory(1);
    const { generation } = directory.register({ key, connection: first, holder: here });
    expect(directory.register({ key, connection: first, holder: here })).toEqual({
      generation,
      replaced: null,
    });
  });

  it('never gives a generation of an earlier run again', () => {
    const before = new Directory(1).register({ key, connection: first, holder: here });
    const after = new Directory(2).register({ key, connection: second, holder: here });
    expect(after.generation).toBeGreaterThan(before.generation);
  });

  it('lets the higher generation win when holders repeat what they hold, in either order', () => {
    const older = { key, connection: first, holder: here, generation: 10 };
    const newer = { key, connection: second, holder: there, generation: 11 };
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const directory = new Directory(1);
      const lost = order.map((holding) => directory.restore(holding).replaced).filter(Boolean);
      expect(lost).toEqual([older]);
      expect(directory.lookup(key)).toEqual(newer);
    }
  });

  it('goes on above every generation that was repeated to it', () => {
    const directory = new Directory(1);
    const generation = 5 * 2 ** 32;
    directory.restore({ key, connection: first, holder: here, generation });
    expect(directory.register({ key, connection: second, holder: here }).generation).toBe(generation + 1);
  });

  it('forgets what an ended run held, and nothing of its replacement', () => {
    const directory = new Directory(1);
    const other = 'bob' as SessionKey;
    directory.register({ key, connection: first, holder: there });
    directory.register({ key: other, connection: second, holder: workerAt(1, 2) });
    directory.dropRun(there);
    expect(directory.lookup(key)).toBeUndefined();
    expect(directory.lookup(other)?.connection).toBe(second);
    expect(directory.size).toBe(1);
  });
});

describe('Completeness', () => {
  it('is complete alone, and with sisters once each has repeated what it holds', () => {
    const completeness = new Completeness();
    completeness.sisters([]);
    expect(completeness.complete).toBe(true);
    completeness.sisters([there, workerAt(2, 1)]);
    expect(completeness.complete).toBe(false);
    completeness.rebuilt(there);
    expect(completeness.complete).toBe(false);
    completeness.rebuilt(workerAt(2, 1));
    expect(completeness.complete).toBe(true);
  });

  it('waits for the replacement of a sister, whichever news comes first', () => {
    const completeness = new Completeness();
    completeness.sisters([there]);
    completeness.rebuilt(there);
    const replacement = workerAt(1, 2);
    completeness.sisters([replacement]);
    expect(completeness.complete).toBe(false);
    completeness.rebuilt(replacement);
    expect(completeness.complete).toBe(true);

    const early = new Completeness();
    early.rebuilt(replacement);
    early.sisters([replacement]);
    expect(early.complete).toBe(true);
  });

  it('is incomplete until it knows who is alive, since sisters may ask sooner than that', () => {
    const completeness = new Completeness();
    expect(completeness.complete).toBe(false);
    completeness.rebuilt(there);
    expect(completeness.complete).toBe(false);
    completeness.sisters([there]);
    expect(completeness.complete).toBe(true);
  });

  it('does not wait for a sister that is gone', () => {
    const completeness = new Completeness();
    completeness.sisters([there]);
    completeness.sisters([]);
    expect(completeness.complete).toBe(true);
  });
});
