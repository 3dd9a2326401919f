/** The model against the wire reference's table of receivers, and the rules around it. */
import { describe, expect, it } from 'vitest';
import type { ForeignAnswer } from '../../src/peer/index.ts';
import { KeyValues } from './key-values.ts';
import { LegacyReceiver, type LockedCall, STATE, U64_MAX } from './legacy-receiver.ts';

const X = [KeyValues.add('x', '1')];
const Y = [KeyValues.add('y', '1')];
const COUNT = [KeyValues.count('n')];

/** A participant at an instance and sequence, following `m`. */
function participant(instance = 3n, sequence = 7n): { node: LegacyReceiver; values: KeyValues } {
  const values = new KeyValues();
  const node = new LegacyReceiver('c', values);
  expect(node.answer(start({ instance, sequence }))).toMatchObject({ accepted: true });
  return { node, values };
}

function start(over: Partial<Extract<LockedCall, { method: 'start' }>> = {}): LockedCall {
  const base = { instance: 3n, sequence: 7n, cluster: 'c', self: 's', master: 'm' };
  return { method: 'start', ...base, participants: ['m', 's'], snapshot: new Uint8Array(), ...over };
}

function accept(instance: bigint, sequence: bigint, changes: readonly Uint8Array[] = X): LockedCall {
  return { method: 'accept', instance, sequence, changes };
}

const code = (answer: ForeignAnswer): unknown => answer.error?.code ?? answer.accepted;

describe('the table of receivers, from (3,7)', () => {
  it('refuses a lower instance and a lower sequence', () => {
    const { node } = participant();
    expect(node.answer(accept(2n, 8n)).error).toEqual({
      code: 'ERR_DENIED',
      text: 'Instance 2 less than current (3)',
    });
    expect(node.answer(accept(3n, 6n)).error).toEqual({
      code: 'ERR_DENIED',
      text: 'Sequence 6 less than current (7)',
    });
  });

  it('refuses a gap', () => {
    const { node } = participant();
    expect(node.answer(accept(3n, 9n)).error).toEqual({
      code: 'ERR_GAP',
      text: 'Received seq 9, but current seq is 7',
    });
  });

  it('stages 3/7, commits it with 3/8, and 8 with the pure commit 3/9', () => {
    const { node, values } = participant();
    expect(code(node.answer(accept(3n, 7n, X)))).toBe(true);
    expect([node.state, values.toObject()]).toEqual([STATE.pending, {}]);
    expect(code(node.answer(accept(3n, 8n, Y)))).toBe(true);
    expect(values.toObject()).toEqual({ x: '1' });
    expect(code(node.answer(accept(3n, 9n, [])))).toBe(true);
    expect([node.state, node.sequence, values.toObject()]).toEqual([STATE.clean, 9n, { x: '1', y: '1' }]);
    expect(node.events.slice(-2)).toEqual([
      { type: 'commit', sequence: 8n, changes: X },
      { type: 'commit', sequence: 9n, changes: Y },
    ]);
  });

  it('enters 4 at any sequence, and stands at 0 there: 101 is a gap, 1 is not', () => {
    const { node } = participant();
    expect(code(node.answer(accept(4n, 100n)))).toBe(true);
    expect([node.instance, node.sequence]).toEqual([4n, 0n]);
    expect(code(node.answer(accept(4n, 101n)))).toBe('ERR_GAP');
    expect(code(node.answer(accept(4n, 1n)))).toBe(true);
  });
});

describe('prepare', () => {
  it('grants every higher instance, again and again, even as master, and promises nothing', () => {
    const { node } = participant();
    expect(node.answer({ method: 'prepare', instance: 4n, master: 'a' }).accepted).toBe(4n);
    expect(node.answer({ method: 'prepare', instance: 4n, master: 'b' }).accepted).toBe(4n);
    expect([node.state, node.instance, node.masters.get(4n)]).toEqual([STATE.pendingMaster, 3n, 'b']);
    expect(code(node.answer(accept(3n, 8n)))).toBe(true);
  });

  it('answers its own instance to lower ones', () => {
    const { node } = participant();
    expect(node.answer({ method: 'prepare', instance: 3n, master: 'a' })).toMatchObject({ accepted: 3n });
    expect(node.state).toBe(STATE.clean);
  });

  it('answers 0 and an error before it has joined', () => {
    const node = new LegacyReceiver('c', new KeyValues());
    expect(node.answer({ method: 'prepare', instance: 9n, master: 'a' })).toEqual({
      status: 200,
      accepted: 0n,
      error: { code: 'ERR_STATE', text: 'Prepare() called on unjoined or removed participant' },
    });
  });
});

describe('a new instance', () => {
  it('forgets all that is staged', () => {
    const { node, values } = participant();
    node.answer(accept(3n, 8n, X));
    node.answer(accept(4n, 1n, Y));
    node.answer(accept(4n, 1n, []));
    node.answer(accept(4n, 2n, []));
    expect(values.toObject()).toEqual({ y: '1' });
  });

  it('tells of lost mastery only where it was not prepared before', () => {
    const crowned = new LegacyReceiver('c', new KeyValues());
    crowned.initMaster('a');
    crowned.answer(accept(2n, 1n));
    expect(crowned.events).toEqual([{ type: 'become_master' }, { type: 'lose_master' }]);
    const prepared = new LegacyReceiver('c', new KeyValues());
    prepared.initMaster('a');
    prepared.answer({ method: 'prepare', instance: 2n, master: 'b' });
    prepared.answer(accept(2n, 1n));
    expect(prepared.events).toEqual([{ type: 'become_master' }]);
  });
});

describe('members', () => {
  it('come one call later, and are refused when they are there', () => {
    const { node } = participant();
    expect(code(node.answer({ method: 'addmember', instance: 3n, sequence: 8n, member: 'n' }))).toBe(true);
    expect(node.members).toEqual(['m', 's']);
    node.answer(accept(3n, 9n, []));
    expect(node.members).toEqual(['m', 's', 'n']);
    expect(node.answer({ method: 'addmember', instance: 3n, sequence: 10n, member: 'n' }).error?.text).toBe(
      'Member {n} already exists here',
    );
    expect(node.sequence).toBe(10n);
  });

  it('go one call later; a member that is removed itself never comes back', () => {
    const { node } = participant();
    expect(code(node.answer({ method: 'rmmember', instance: 3n, sequence: 8n, member: 'x' }))).toBe(
      'ERR_DENIED',
    );
    expect(code(node.answer({ method: 'rmmember', instance: 3n, sequence: 8n, member: 's' }))).toBe(true);
    expect(code(node.answer(accept(3n, 9n, X)))).toBe(true);
    expect([node.state, node.instance, node.sequence, node.members]).toEqual([
      STATE.removed,
      U64_MAX,
      9n,
      [],
    ]);
    for (const call of [accept(U64_MAX, 10n), start({ instance: U64_MAX, sequence: 10n })]) {
      expect(code(node.answer(call))).toBe('ERR_STATE');
    }
  });
});

describe('start', () => {
  it('is taken by the unjoined, clean and pending, at or above where they are', () => {
    const { node, values } = participant();
    const below = node.answer(start({ sequence: 6n }));
    expect(below.error).toEqual({
      code: 'ERR_SEQUENCE',
      text: "Received bad snapshot. We're at 3/7; snapshot is 3/6",
    });
    node.answer(accept(3n, 8n, X));
    expect(code(node.answer(start({ sequence: 8n, snapshot: Buffer.from('k×v×') })))).toBe(true);
    expect(values.toObject()).toEqual({ k: 'v' });
  });

  it('keeps what is staged, and applies it on top', () => {
    const { node, values } = participant();
    node.answer(accept(3n, 8n, COUNT));
    node.answer(start({ sequence: 8n, snapshot: Buffer.from('n×1×') }));
    node.answer(accept(3n, 9n, []));
    expect(values.toObject()).toEqual({ n: '2' });
  });

  it('makes a master of whoever is told that it is', () => {
    const { node } = participant();
    node.answer(start({ instance: 4n, self: 's', master: 's' }));
    expect([node.state, node.isMaster]).toEqual([STATE.master, true]);
    expect(node.answer(start({ instance: 5n })).error).toEqual({
      code: 'ERR_STATE',
      text: 'Expected state UNJOINED/PARTICIPANT*, am in state 0',
    });
  });
});
