import { describe, expect, it } from 'vitest';
import type { Mode } from '../base/index.ts';
import { Grant, type Granted } from './grant.ts';

function granted(mode: Mode, contactAgeMs = 0, isolated = false): Granted {
  return { mode, isolated, contactAgeMs };
}

describe('Grant', () => {
  it('admits nothing before the first grant and after the newest has grown too old', () => {
    const grant = new Grant();
    expect(grant.at(0, 3_000)).toEqual({ mode: 'initial', isolated: true });
    grant.renew(granted('normal'), 1_000);
    expect(grant.at(4_000, 3_000)).toEqual({ mode: 'normal', isolated: false });
    expect(grant.at(4_001, 3_000)).toEqual({ mode: 'initial', isolated: true });
  });

  it('takes no mode, a block mode neither, from a supervisor that has fallen silent', () => {
    const grant = new Grant();
    grant.renew(granted('block_new_session'), 1_000);
    expect(grant.at(4_001, 3_000)).toEqual({ mode: 'initial', isolated: true });
    grant.renew(granted('block_new_session'), 5_000);
    expect(grant.at(5_000, 3_000)).toEqual({ mode: 'block_new_session', isolated: false });
  });

  it('counts the age that a contact already had when it was sent', () => {
    const grant = new Grant();
    grant.renew(granted('normal', 2_000), 10_000);
    expect(grant.at(11_000, 3_000)).toEqual({ mode: 'normal', isolated: false });
    expect(grant.at(11_001, 3_000)).toEqual({ mode: 'initial', isolated: true });
  });

  it('leaves a block mode as it was ordered when the contact is lost', () => {
    const grant = new Grant();
    grant.renew(granted('block_new_session', 20_000), 10_000);
    expect(grant.at(10_000, 3_000)).toEqual({ mode: 'block_new_session', isolated: true });
    grant.renew(granted('block_new_connection', 20_000, true), 10_100);
    expect(grant.at(10_100, 3_000)).toEqual({ mode: 'block_new_connection', isolated: true });
  });

  it('is isolated when the supervisor says so, however young the contact', () => {
    const grant = new Grant();
    grant.renew(granted('normal', 0, true), 10_000);
    expect(grant.at(10_000, 3_000)).toEqual({ mode: 'initial', isolated: true });
  });

  it('takes the mode of a late grant, but not its older contact', () => {
    const grant = new Grant();
    grant.renew(granted('normal'), 10_000);
    grant.renew(granted('block_new_connection', 2_900), 10_100);
    expect(grant.at(13_000, 3_000)).toEqual({ mode: 'block_new_connection', isolated: false });
  });
});
