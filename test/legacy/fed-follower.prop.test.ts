/**
 * A member that speaks the original's protocol, fed by ours: whatever the network does and however
 * often the master changes, its state is always one that the cluster had, and in the end the cluster's.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAIR, FedWorld, type Weather } from './fed-world.ts';
import { KeyValues } from './key-values.ts';

const MASTERS = ['a', 'b', 'c'];
const STORM: Weather = { callsLost: 0.15, answersLost: 0.15, repeated: 0.2, delayMaxMs: 4_000 };
const RAIN: Weather = { callsLost: 0.02, answersLost: 0.02, repeated: 0.1, delayMaxMs: 300 };

/** One thing that happens; drawn by the world's own seed. */
function happen(world: FedWorld, followers: readonly string[], number: number): void {
  const { random } = world;
  const draw = random.fraction();
  const follower = followers[random.below(followers.length)] as string;
  if (draw < 0.55) world.commit(KeyValues.add(`k${random.below(4)}`, String(number)), KeyValues.count('n'));
  else if (draw < 0.62) world.commit();
  else if (draw < 0.72) world.failOver(MASTERS[random.below(3)] as string, random.fraction() < 0.7);
  else if (draw < 0.77) world.restart(follower);
  else if (draw < 0.82) world.electAt(follower);
  else if (draw < 0.9) world.submitAt(follower, KeyValues.count('n'));
  else if (draw < 0.92) world.join(`joiner-${number}`);
  else world.weather = random.fraction() < 0.5 ? STORM : RAIN;
}

describe('a fed follower', () => {
  it('is where the cluster was, and comes to where it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const followers = ['f', 'g'];
        const world = new FedWorld(seed, MASTERS, followers);
        world.failOver('a');
        for (let number = 0; number < 120; number++) {
          happen(world, followers, number);
          world.time.advance(world.random.below(1_500));
        }
        world.weather = FAIR;
        world.failOver('b');
        world.commit(KeyValues.count('n'));
        world.time.advance(15_000);
        expect(world.faults).toEqual([]);
        for (const name of followers) expect(world.state(name)).toBe(world.truth);
      }),
      { numRuns: 200 },
    );
  });

  it('equals ours after 100 fail-overs, with entries at each', () => {
    const world = new FedWorld(1, MASTERS, ['f']);
    for (let number = 0; number < 100; number++) {
      world.failOver(MASTERS[number % 3] as string, number % 2 === 0);
      for (let at = 0; at < 5; at++) {
        world.commit(KeyValues.add(`k${at}`, `${number}`), KeyValues.count('n'));
        world.time.advance(world.random.below(400));
      }
    }
    world.time.advance(5_000);
    expect(world.faults).toEqual([]);
    expect(world.state('f')).toBe(world.truth);
    expect(JSON.parse(world.truth).n).toBe('500');
  });

  it('has an entry within 5 seconds, and within 15 of a fail-over, however it was left', () => {
    const world = new FedWorld(2, MASTERS, ['f']);
    world.failOver('a');
    world.time.advance(5_000);
    for (const leave of [
      () => {},
      () => world.restart('f'),
      () => world.follower('f').answer({ method: 'prepare', instance: 1n << 30n, master: 'x' }),
    ]) {
      leave();
      world.commit(KeyValues.count('n'));
      world.time.advance(5_000);
      expect(world.state('f')).toBe(world.truth);
    }
    world.failOver('b');
    world.commit(KeyValues.count('n'));
    world.time.advance(15_000);
    expect(world.state('f')).toBe(world.truth);
  });
});
