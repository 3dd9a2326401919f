import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
