import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Seat } from '../../base/index.ts';
import type { Home } from './homes.ts';
import { KeyRegistration, type RegistrationStep } from './key-registration.ts';

const home = (name: string): Home => ({ seat: name as Seat, node: name });
const [a, b, c] = ['a', 'b', 'c'] as unknown as [Seat, Seat, Seat];
const order = [home('a'), home('b'), home('c')];
const registered = { type: 'registered' };
const said = (steps: RegistrationStep[]) => steps.map((step) => JSON.stringify(step)).join(' ');

describe('KeyRegistration', () => {
  it('is done when a home of another node has ordered, and copies beyond that', () => {
    const registration = new KeyRegistration(order, 'c');
    expect(registration.begin()).toEqual([{ type: 'order', home: 'a', floor: 0 }]);
    expect(registration.ordered(a, 7)).toEqual([
      { type: 'generation', generation: 7 },
      { type: 'copy', home: 'b', generation: 7 },
      registered,
    ]);
    expect(registration.copied(b, 7, null)).toEqual([]);
    expect([...registration.homes]).toEqual(['a', 'b']);
  });

  it('waits for the copy where the home that orders is on its own node', () => {
    const registration = new KeyRegistration(order, 'a');
    registration.begin();
    expect(registration.ordered(a, 7)).not.toContainEqual(registered);
    expect(registration.copied(b, 7, null)).toEqual([registered]);
  });

  it('is content with its own home where there is no other node', () => {
    const registration = new KeyRegistration([home('a')], 'a');
    registration.begin();
    expect(registration.ordered(a, 7)).toContainEqual(registered);
  });

  it('has the next one order and the one after it copy when the first is silent', () => {
    const registration = new KeyRegistration(order, 'a');
    registration.begin();
    expect(registration.silent(a)).toEqual([{ type: 'order', home: 'b', floor: 0 }]);
    expect(registration.ordered(b, 9)).toEqual([
      { type: 'generation', generation: 9 },
      { type: 'copy', home: 'c', generation: 9 },
      registered,
    ]);
    // What it gave late is older or newer than others that nobody can compare it with.
    expect(registration.ordered(a, 12)).toEqual([{ type: 'copy', home: 'a', generation: 9 }]);
  });

  it('takes the late word of a home that was taken for silent when nobody else has ordered', () => {
    const registration = new KeyRegistration(order, 'c');
    registration.begin();
    registration.silent(a);
    expect(registration.ordered(a, 3)).toContainEqual(registered);
    expect(registration.ordered(b, 4)).toEqual([{ type: 'copy', home: 'b', generation: 3 }]);
  });

  it('copies to the next one when a copy is not taken in time', () => {
    const registration = new KeyRegistration(order, 'a');
    registration.begin();
    registration.ordered(a, 7);
    expect(registration.silent(b)).toEqual([{ type: 'copy', home: 'c', generation: 7 }]);
    expect(registration.copied(c, 7, null)).toEqual([registered]);
  });

  it('has the order repeated above what a copy’s home remembers', () => {
    const registration = new KeyRegistration(order, 'a');
    registration.begin();
    registration.ordered(a, 7);
    expect(registration.copied(b, 7, 40)).toEqual([{ type: 'order', home: 'a', floor: 40 }]);
    expect(said(registration.ordered(a, 41))).toContain('"generation":41');
  });

  it('fails once when nobody of another node acknowledged', () => {
    const registration = new KeyRegistration(order, 'a');
    registration.begin();
    registration.ordered(a, 7);
    expect(registration.overdue()).toEqual([{ type: 'failed' }]);
    expect([registration.overdue(), registration.copied(b, 7, null)]).toEqual([[], []]);
  });

  it('ends once, asks each home a bounded number of times, and only with a proof', () => {
    const event = fc.record({
      type: fc.constantFrom('ordered', 'copied', 'higher', 'silent', 'overdue'),
      pick: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.constantFrom('a', 'b', 'x'), (events, own) => {
        const registration = new KeyRegistration(order, own);
        const open: Extract<RegistrationStep, { home: Seat }>[] = [];
        const ends: string[] = [];
        let asked = 0;
        let generation = 0;
        const take = (steps: RegistrationStep[]): void => {
          for (const step of steps) {
            if (step.type === 'order' || step.type === 'copy') {
              open.push(step);
              asked++;
            } else if (step.type !== 'generation') ends.push(step.type);
          }
        };
        take(registration.begin());
        for (const { type, pick } of events) {
          const question = open[pick % Math.max(1, open.length)];
          if (type === 'overdue') take(registration.overdue());
          else if (question === undefined) continue;
          else if (type === 'silent') take(registration.silent(question.home));
          else {
            open.splice(open.indexOf(question), 1);
            if (question.type === 'order')
              take(registration.ordered(question.home, ++generation + question.floor));
            else
              take(
                registration.copied(
                  question.home,
                  question.generation,
                  type === 'higher' ? 100 + pick : null,
                ),
              );
          }
          if (ends.includes('registered') && own !== 'x') {
            expect(ends).toEqual(['registered']);
          }
        }
        expect(ends.length).toBeLessThanOrEqual(1);
        expect(asked).toBeLessThan(40);
      }),
    );
  });
});
