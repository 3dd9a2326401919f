import { describe, expect, it } from 'vitest';
import { MODES, type Mode } from '../base/index.ts';
import {
  admittedAccess,
  type ModeSituation,
  type ModeVerdict,
  modeReason,
  modeVerdict,
  subscribeAccess,
} from './modes.ts';

/** Written down a second time on purpose: whoever changes a cell changes it twice, or by mistake. */
const CELLS: readonly (readonly [ModeSituation, ...ModeVerdict[]])[] = [
  // situation           normal  block_new_session  block_new_connection  initial
  ['connect', 'pass', 'pass', 'refuse', 'refuse'],
  ['admitted_live', 'pass', 'pass', 'refuse', 'refuse'],
  ['admitted_new', 'pass', 'refuse', 'refuse', 'refuse'],
  ['admitted_without', 'pass', 'refuse', 'refuse', 'refuse'],
  ['open', 'pass', 'pass', 'refuse', 'refuse'],
  ['subscribe_live', 'pass', 'pass', 'pass', 'pass'],
  ['subscribe_new', 'pass', 'refuse', 'refuse', 'refuse'],
];

describe('the table of modes', () => {
  const cells = CELLS.flatMap(([situation, ...verdicts]) => {
    return MODES.map((mode, index) => [mode, situation, verdicts[index]] as const);
  });

  it.each(cells)('%s, %s: %s', (mode, situation, verdict) => {
    expect(modeVerdict(mode, situation)).toBe(verdict);
  });
});

describe('how channels are joined', () => {
  it.each<[Mode, string, string, string]>([
    ['normal', 'any', 'any', 'any'],
    ['block_new_session', 'none', 'live', 'live'],
    ['block_new_connection', 'none', 'none', 'live'],
    ['initial', 'none', 'none', 'live'],
  ])('in %s: without a channel %s, with one %s, by /subscribe %s', (mode, without, admitted, subscribed) => {
    expect(admittedAccess(mode, 0)).toBe(without);
    expect(admittedAccess(mode, 1)).toBe(admitted);
    expect(subscribeAccess(mode)).toBe(subscribed);
  });
});

it('names the mode to whom it keeps out', () => {
  expect(modeReason('block_new_session')).toBe('the node is in mode block_new_session');
});
