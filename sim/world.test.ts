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

  it('keeps that order when events ask for further ones, at once and later', () => {
    const step = fc.record({ delay: fc.constantFrom(0, 0, 1, 2, 7), children: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
        const world = new World();
        const seen: { readonly dueMs: number; readonly order: number }[] = [];
        let order = 0;
        const ask = (): void => {
          const next = steps[order];
          if (next === undefined) return;
          const event = { dueMs: world.nowMs + next.delay, order: order++ };
          const happen = (asked: typeof event): void => {
            expect(world.nowMs).toBe(asked.dueMs);
            seen.push(asked);
            for (let child = 0; child < next.children; child++) ask();
          };
          world.after(next.delay, happen, event);
        };
        ask();
        ask();
        world.runUntil(10_000);
        expect(seen).toHaveLength(order);
        expect(seen).toEqual(seen.toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order));
      }),
    );
  });

  it('lets an event ask for further ones, and gives each its argument', () => {
    const world = new World();
    const seen: string[] = [];
    world.after(5, () => {
      seen.push('a');
      world.after(0, () => seen.push('c'));
    });
    world.after(5, () => seen.push('b'));
    world.after(6, (text) => seen.push(text), 'd');
    world.runUntil(7);
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
    expect(world.nowMs).toBe(7);
    expect(world.events).toBe(4);
  });

  it('keeps as many events of one moment as there are', () => {
    const world = new World();
    const seen: number[] = [];
    let asked = 0;
    const ask = (): void => {
      if (asked < 2_000) world.after(0, happen, asked++);
    };
    // Each asks for two more, so that the line grows while its beginning moves on.
    const happen = (number: number): void => {
      seen.push(number);
      ask();
      ask();
    };
    ask();
    world.runUntil(0);
    expect(seen).toEqual(Array.from({ length: 2_000 }, (_, number) => number));
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
