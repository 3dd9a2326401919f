/** What comes of each mode at the doors of a node: clients, `/subscribe`, channels, one event each. */
import { describe, expect, it } from 'vitest';
import type { AppCall } from '../../test/fakes/fake-application.ts';
import type { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import type { FakeUpgrade } from '../../test/fakes/fake-net.ts';
import type { Mode } from '../base/index.ts';
import { nodeWithRoom, outcomeOf, tryOut } from './testdata/mode-node.ts';

const BLOCK = 'block_new_session';
const NO_SESSION = 'node begins no new channel session';

describe('a connect', () => {
  const queries = (room: string, fresh: string): Record<string, string> => ({
    'to a live channel': `channel=${room}`,
    'to a new channel': `channel=${fresh}`,
    'to both': `channel=${room}&channel=${fresh}`,
    'without a channel': '',
  });
  const cells: [Mode, string, 'in' | number][] = [
    ['normal', 'to a live channel', 'in'],
    ['normal', 'to a new channel', 'in'],
    ['normal', 'to both', 'in'],
    ['normal', 'without a channel', 'in'],
    [BLOCK, 'to a live channel', 'in'],
    [BLOCK, 'to a new channel', 503],
    [BLOCK, 'to both', 503],
    [BLOCK, 'without a channel', 503],
    ['block_new_connection', 'to a live channel', 503],
    ['block_new_connection', 'to a new channel', 503],
    ['block_new_connection', 'without a channel', 503],
    ['initial', 'to a live channel', 503],
    ['initial', 'to a new channel', 503],
    ['initial', 'without a channel', 503],
  ];
  for (const slot of [0, 1]) {
    for (const owner of [0, 1]) {
      it.each(cells)(`in %s %s: %s (worker ${slot}, owner ${owner})`, (mode, what, outcome) => {
        const { node, room, fresh, alice } = nodeWithRoom({ owner });
        node.changeMode(mode);
        const asked = node.app.to('/connect').length;
        const upgrade = tryOut(node, `key=bob&${queries(room, fresh)[what]}`, slot);
        expect(outcomeOf(upgrade)).toBe(outcome);
        expect(alice.open).toBe(true);
        const asks = mode === 'normal' || mode === BLOCK;
        expect(node.app.to('/connect').length - asked).toBe(asks ? 1 : 0);
        const events = outcome === 503 && asks ? [{ key: 'bob', reason: 'blocked' }] : [];
        expect(node.app.closeEvents()).toMatchObject(events);
        expect(node.app.closeEvents()).toHaveLength(events.length);
        if (outcome !== 503) return;
        expect(upgrade.refused?.headers).toContain('Retry-After');
        expect(upgrade.refused?.body).toBe(`Service Unavailable: the node is in mode ${mode}\n`);
        // Nothing is left of it: its channels have who was there before, and its key is free.
        node.changeMode('normal');
        const sent = node.call('/send', { sessions: ['bob'], channels: [room, fresh] }, 'x');
        expect(sent).toMatchObject({
          channels: [{ delivered: 1 }, { delivered: 0 }],
          errors: [{ session: 'bob' }],
        });
        const owed = node.worker(slot).journal.owed();
        expect(owed.filter(({ key }) => key !== 'alice')).toEqual([]);
      });
    }
  }

  it('says 1006 and one event id in its close callback', () => {
    const { node, fresh } = nodeWithRoom();
    node.changeMode(BLOCK);
    tryOut(node, `key=bob&channel=${fresh}`);
    const [close] = node.app.to('/close');
    expect(close?.header('X-Arrokoth-Reason')).toBe('blocked');
    expect(close?.header('X-Arrokoth-Close-Code')).toBe('1006');
    const connection = node.app.to('/connect').at(-1)?.header('X-Arrokoth-Connection');
    expect(close?.header('X-Arrokoth-Event-Id')).toBe(`${connection}.closed`);
  });

  it('that is kept out does not throw out the older connection of its key', () => {
    const { node, fresh, alice } = nodeWithRoom();
    node.changeMode(BLOCK);
    expect(outcomeOf(tryOut(node, `key=alice&channel=${fresh}`))).toBe(503);
    expect(alice.open).toBe(true);
    expect(node.call('/send', { sessions: ['alice'] }, 'still here')).toEqual({ result: 'OK' });
  });

  it('takes the place of the older connection of its key where the session is there', () => {
    const { node, room, alice } = nodeWithRoom();
    node.changeMode(BLOCK);
    expect(outcomeOf(tryOut(node, `key=alice&channel=${room}`))).toBe('in');
    expect(alice.closed?.code).toBe(4409);
    expect(node.call('/send', { channels: [room] }, 'x')).toMatchObject({ channels: [{ delivered: 1 }] });
  });

  it('finds no session in a channel whose last connection has left', () => {
    for (const slot of [0, 1]) {
      const { node, room, alice } = nodeWithRoom();
      node.changeMode(BLOCK);
      alice.leave();
      node.settle();
      expect(outcomeOf(tryOut(node, `key=bob&channel=${room}`, slot))).toBe(503);
    }
  });

  it('is never let in because of another one that was kept out', () => {
    for (const slots of [
      [0, 0],
      [1, 1],
      [0, 1],
    ]) {
      const { node, fresh } = nodeWithRoom();
      node.changeMode(BLOCK);
      const both = slots.map((slot, index) => node.ask(`key=k${index}&channel=${fresh}`, slot));
      node.settle();
      expect(both.map(outcomeOf)).toEqual([503, 503]);
      expect(node.app.closeEvents().map(({ reason }) => reason)).toEqual(['blocked', 'blocked']);
    }
  });

  it('stays when those leave because of whom it was let in', () => {
    const { node, room, alice } = nodeWithRoom();
    node.changeMode(BLOCK);
    node.network.hold(1, 0);
    const key = node.nameAt(0, 'bob');
    const upgrade = node.ask(`key=${key}&channel=${room}`, 1);
    node.settle();
    expect(outcomeOf(upgrade)).toBe('waiting');
    alice.leave();
    node.settle();
    node.network.release(1, 0);
    node.settle();
    expect(outcomeOf(upgrade)).toBe('in');
    expect(outcomeOf(tryOut(node, `key=carol&channel=${room}`, 0))).toBe('in');
  });
});

describe('a mode that is ordered while the application is asked', () => {
  function askedMeanwhile(node: FakeGateways, query: string, mode: Mode): FakeUpgrade {
    const { answers } = node.app;
    node.app.answers = (call: AppCall) => (call.path === '/connect' ? null : answers(call));
    const upgrade = node.ask(query, 1);
    node.settle();
    node.changeMode(mode);
    const asked = node.app.open('/connect');
    const reply = answers(asked);
    asked.answer(reply?.status ?? 500, reply?.headers ?? [], reply?.body ?? '');
    node.app.answers = answers;
    node.settle();
    return upgrade;
  }

  it.each<[Mode, string, 'in' | number]>([
    [BLOCK, 'room', 'in'],
    [BLOCK, 'fresh', 503],
    ['block_new_connection', 'room', 503],
    ['initial', 'room', 503],
  ])('%s decides about a client of %s: %s', (mode, which, outcome) => {
    const { node, room, fresh } = nodeWithRoom();
    const upgrade = askedMeanwhile(node, `key=bob&channel=${which === 'room' ? room : fresh}`, mode);
    expect(outcomeOf(upgrade)).toBe(outcome);
    const reasons = node.app.closeEvents().map(({ reason }) => reason);
    expect(reasons).toEqual(outcome === 503 ? ['blocked'] : []);
  });

  it.each<[Mode, 'in' | number]>([
    [BLOCK, 'in'],
    ['block_new_connection', 503],
    ['initial', 503],
  ])('%s, when its channels have noted it, comes to %s', (mode, outcome) => {
    const { node, fresh } = nodeWithRoom({ owner: 1 });
    const key = node.nameAt(0, 'bob');
    node.network.hold(1, 0);
    const upgrade = node.ask(`key=${key}&channel=${fresh}`, 1);
    node.settle();
    node.changeMode(mode);
    node.network.release(1, 0);
    node.settle();
    expect(outcomeOf(upgrade)).toBe(outcome);
    const reasons = node.app.closeEvents().map(({ reason }) => reason);
    expect(reasons).toEqual(outcome === 503 ? ['blocked'] : []);
  });
});

describe('/subscribe', () => {
  it.each<[Mode, boolean]>([
    ['normal', true],
    [BLOCK, false],
    ['block_new_connection', false],
    ['initial', false],
  ])('in %s may begin a session: %s; a live channel is always served', (mode, begins) => {
    for (const slot of [0, 1]) {
      const { node, room, fresh } = nodeWithRoom({ owner: slot });
      node.connect('key=bob', 1);
      node.changeMode(mode);
      const subscribe = (channels: string[]) =>
        node.call('/subscribe', { sessions: ['bob'], channels }, '', slot);
      const refused = { errors: [{ error: NO_SESSION, session: 'bob' }], result: 'OK' };
      expect(subscribe([fresh])).toEqual(begins ? { result: 'OK' } : refused);
      // All of them or none.
      expect(subscribe([room, `${fresh}2`])).toEqual(begins ? { result: 'OK' } : refused);
      const members = () => {
        node.changeMode('normal');
        const { channels } = node.call('/send', { channels: [room, fresh] }, 'x');
        node.changeMode(mode);
        return (channels as { delivered: number }[]).map(({ delivered }) => delivered);
      };
      expect(members()).toEqual(begins ? [2, 1] : [1, 0]);
      expect(subscribe([room])).toEqual({ result: 'OK' });
      expect(members()).toEqual(begins ? [2, 1] : [2, 0]);
    }
  });

  it('is refused for each session by itself', () => {
    const { node, fresh } = nodeWithRoom();
    node.connect(`key=bob&channel=${fresh}`, 1);
    const other = node.nameAt(0, 'other');
    node.connect(`key=carol&channel=${other}`, 0);
    node.changeMode(BLOCK);
    expect(
      node.call('/subscribe', { sessions: ['bob', 'nobody', 'carol'], channels: [`${fresh}9`] }),
    ).toEqual({
      errors: [
        { error: 'kuiperbelt: session is not found', session: 'nobody' },
        { error: NO_SESSION, session: 'bob' },
        { error: NO_SESSION, session: 'carol' },
      ],
      result: 'OK',
    });
    const served = node.call('/subscribe', { sessions: ['carol'], channels: [fresh, other] });
    expect(served).toEqual({ result: 'OK' });
  });

  it('that begins a session in normal is not undone by one that may not', () => {
    const { node, fresh } = nodeWithRoom({ owner: 0 });
    const bob = node.connect('key=bob', 1);
    node.connect('key=carol', 1);
    node.changeMode(BLOCK);
    node.network.hold(1, 0);
    const subscribe = (session: string) =>
      node.post('/subscribe', { sessions: [session], channels: [fresh] }, '', 1);
    const blocked = subscribe('carol');
    node.settle();
    node.changeMode('normal');
    const served = subscribe('bob');
    node.network.release(1, 0);
    node.settle();
    expect(JSON.parse(blocked.answer?.body ?? '')).toMatchObject({ errors: [{ session: 'carol' }] });
    expect(JSON.parse(served.answer?.body ?? '')).toEqual({ result: 'OK' });
    expect(node.call('/send', { channels: [fresh] }, 'x')).toMatchObject({ channels: [{ delivered: 1 }] });
    expect(bob.received).toEqual(['x']);
  });
});

describe('a node that is cut off', () => {
  it('orders no channel messages, and goes on as before when it is back', () => {
    const { node, room, alice } = nodeWithRoom({ owner: 1 });
    const lost = { errors: [{ channel: room, error: 'owner is isolated' }], result: 'OK' };
    for (const mode of ['initial', BLOCK] as const) {
      node.granted = { mode, isolated: true, contactAgeMs: 60_000 };
      node.advance(100);
      for (const slot of [0, 1]) expect(node.call('/send', { channels: [room] }, 'x', slot)).toEqual(lost);
      expect(node.call('/close', { channels: [room] }, 'x')).toEqual(lost);
      expect(node.call('/send', { sessions: ['alice'] }, mode)).toEqual({ result: 'OK' });
    }
    expect(alice.open).toBe(true);
    node.changeMode('normal');
    expect(node.call('/send', { channels: [room] }, 'y')).toMatchObject({ channels: [{ delivered: 1 }] });
    expect(alice.received).toEqual(['initial', BLOCK, 'y']);
  });

  it('notices by itself that its supervisor has fallen silent', () => {
    const { node, room } = nodeWithRoom();
    node.changeMode(BLOCK);
    node.granting = false;
    node.advance(node.config.isolationTimeoutMs + 100);
    expect(tryOut(node, `key=bob&channel=${room}`).refused?.body).toContain('mode initial');
    expect(node.call('/send', { channels: [room] })).toMatchObject({
      errors: [{ error: 'owner is isolated' }],
    });
  });
});
