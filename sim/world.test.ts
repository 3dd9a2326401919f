/** Events happen in the order of their times, and at one time in the order of their making. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

describe('World', () => {
  it('lets events happen in order, those of one moment as they were asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (delays) => {
        const world = new World();
        const seen: [number, number][] = [];
        delays.forEach((delay, order) => {
          world.after(delay, () => seen.push([world.nowMs, order]));
        });
        world.runUntil(100);
        const wanted = delays.map((delay, order): [number, number] => [delay, order]);
        wanted.sort(([leftMs, left], [rightMs, right]) => leftMs - rightMs || left - right);
        expect(seen).toEqual(wanted);
      }),
    );
  });

  it('lets an event ask for further ones, and calls one off', () => {
    const world = new World();
    const seen: string[] = [];
    world.after(5, () => {
      seen.push('a');
      world.after(0, () => seen.push('c'));
    });
    world.after(5, () => seen.push('b'));
    const off = world.after(6, () => seen.push('never'));
    off.run = null;
    world.runUntil(7);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(world.nowMs).toBe(7);
    expect(world.events).toBe(3);
  });

  it('stops where it is told to, between two events', () => {
    const world = new World();
    let count = 0;
    for (let ms = 1; ms <= 10; ms++) world.after(ms, () => count++);
    world.runUntil(100, () => count === 4);
    expect([world.nowMs, count]).toEqual([4, 4]);
    world.runUntil(7);
    expect([world.nowMs, count]).toEqual([7, 7]);
  });
});
