import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Grant } from '../grant.ts';
import { SessionLife } from './session-life.ts';

describe('SessionLife', () => {
  it('is upgraded by the last acknowledgement, then established, then open', () => {
    const life = new SessionLife(3);
    expect(life.acknowledged()).toBe('wait');
    expect(life.acknowledged()).toBe('wait');
    expect(life.acknowledged()).toBe('upgrade');
    life.upgraded();
    expect(life.stage).toBe('establishing');
    expect(life.established()).toBe('open');
    expect(life.stage).toBe('open');
  });

  it('refuses to be upgraded before every acknowledgement', () => {
    const life = new SessionLife(2);
    life.acknowledged();
    expect(() => life.upgraded()).toThrow(/every acknowledgement/);
  });

  it('ends exactly once wherever it stands, and nothing moves it afterwards', () => {
    const steps = ['acknowledged', 'end'] as const;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.constantFrom(...steps)), (awaited, taken) => {
        const life = new SessionLife(awaited);
        let ends = 0;
        for (const step of [...taken, 'end' as const]) {
          if (step === 'end') ends += life.end() ? 1 : 0;
          else if (life.stage === 'registering' && life.acknowledged() === 'upgrade') {
            life.upgraded();
            life.established();
          } else if (life.stage === 'ended') expect(life.acknowledged()).toBe('ended');
        }
        expect(ends).toBe(1);
        expect(life.stage).toBe('ended');
        expect(life.established()).toBe('ended');
      }),
    );
  });
});

describe('Grant', () => {
  it('admits nothing before the first grant and after the newest has grown too old', () => {
    const grant = new Grant();
    expect(grant.modeAt(0, 3_000)).toBe('initial');
    grant.renew('normal', 0, 1_000);
    expect(grant.modeAt(4_000, 3_000)).toBe('normal');
    expect(grant.modeAt(4_001, 3_000)).toBe('initial');
  });

  it('counts the age that a grant already had when it was sent', () => {
    const grant = new Grant();
    grant.renew('normal', 2_000, 10_000);
    expect(grant.modeAt(11_000, 3_000)).toBe('normal');
    expect(grant.modeAt(11_001, 3_000)).toBe('initial');
  });

  it('takes the mode of a late grant, but not its older contact', () => {
    const grant = new Grant();
    grant.renew('normal', 0, 10_000);
    grant.renew('block_new_connection', 2_900, 10_100);
    expect(grant.modeAt(13_000, 3_000)).toBe('block_new_connection');
  });
});
