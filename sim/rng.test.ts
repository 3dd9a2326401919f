/** Streams repeat, are independent of each other, and are fair enough to find faults with. */
import { describe, expect, it } from 'vitest';
import { Rng } from './rng.ts';

const drawn = (rng: Rng, count: number): number[] =>
  Array.from({ length: count }, () => rng.below(1_000_000));

describe('Rng', () => {
  it('repeats a path exactly', () => {
    expect(drawn(new Rng('7/disk'), 50)).toEqual(drawn(new Rng('7').fork('disk'), 50));
  });

  it('differs between seeds and names that differ in one character', () => {
    const firsts = ['1', '2', '12', '1/a', '1/b', '1/ab', '1/ba'].map((path) =>
      drawn(new Rng(path), 4).join(),
    );
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('leaves a fork unmoved by what its parent draws', () => {
    const parent = new Rng('3');
    const before = drawn(parent.fork('network'), 20);
    drawn(parent, 100);
    expect(drawn(parent.fork('network'), 20)).toEqual(before);
  });

  it('is spread evenly, over many seeds as well as within one', () => {
    const within = Array.from({ length: 10 }, () => 0);
    const rng = new Rng('even');
    for (let draw = 0; draw < 100_000; draw++) (within[rng.below(10)] as number)++;
    const over = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 20_000; seed++) (over[new Rng(`${seed}/options`).below(10)] as number)++;
    for (const count of within) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    for (const count of over) expect(Math.abs(count - 2_000)).toBeLessThan(250);
  });

  it('keeps its bounds', () => {
    const rng = new Rng('bounds');
    for (let draw = 0; draw < 10_000; draw++) {
      expect(rng.between(3, 7)).toBeGreaterThanOrEqual(3);
      expect(rng.between(3, 7)).toBeLessThanOrEqual(7);
      expect(rng.exponential(5)).toBeLessThanOrEqual(100);
    }
    expect(rng.shuffled([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
    expect(rng.bytes(5)).toHaveLength(5);
  });
});
