import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerAt } from '../../test/fakes/worker-names.ts';
import type { ChannelName } from '../base/index.ts';
import { ChannelOrder } from './delivery/channel-order.ts';
import type { Holder } from './delivery/directory.ts';
import { LocalMembers } from './delivery/local-members.ts';

const lobby = 'lobby' as ChannelName;

const slotsOf = (runs: ReadonlyMap<unknown, Holder>) => [...runs.values()].map(({ slot }) => slot);

describe('LocalMembers', () => {
  it('says when a channel gets its first member and loses its last', () => {
    const members = new LocalMembers<string>();
    expect(members.join(lobby, 'a')).toBe('first');
    expect(members.join(lobby, 'b')).toBe('more');
    expect(members.join(lobby, 'b')).toBe('already');
    expect(members.leave(lobby, 'a')).toBe('left');
    expect(members.leave(lobby, 'a')).toBe('absent');
    expect(members.leave(lobby, 'b')).toBe('last');
    expect(members.has(lobby)).toBe(false);
    expect(members.channelCount).toBe(0);
  });

  it('gives a message to the members once, and to nobody when the channel is empty', () => {
    const members = new LocalMembers<string>();
    expect(members.receivers(lobby, { run: 1, n: 1 })).toBeNull();
    members.join(lobby, 'a');
    expect([...(members.receivers(lobby, { run: 1, n: 1 }) ?? [])]).toEqual(['a']);
    expect(members.receivers(lobby, { run: 1, n: 1 })).toBeNull();
  });

  it('refuses an owner that was replaced, even with a higher number', () => {
    const members = new LocalMembers<string>();
    members.join(lobby, 'a');
    expect(members.receivers(lobby, { run: 2, n: 1 })).not.toBeNull();
    expect(members.receivers(lobby, { run: 1, n: 99 })).toBeNull();
    expect(members.receivers(lobby, { run: 2, n: 2 })).not.toBeNull();
  });
});

describe('ChannelOrder', () => {
  it('sends to the workers with members, and to nobody when there are none', () => {
    const order = new ChannelOrder(1);
    expect(order.publish(lobby).runs.size).toBe(0);
    order.join(lobby, workerAt(2, 1));
    order.join(lobby, workerAt(0, 1));
    order.join(lobby, workerAt(2, 1));
    expect(slotsOf(order.publish(lobby).runs)).toEqual([2, 0]);
    order.dropRun(workerAt(2, 1));
    expect(slotsOf(order.publish(lobby).runs)).toEqual([0]);
    order.leave(lobby, workerAt(0, 1));
    expect(order.channelCount).toBe(0);
  });

  it('keeps the members of a replacement when the end of its forerunner is told late', () => {
    const order = new ChannelOrder(1);
    order.join(lobby, workerAt(2, 1));
    order.join(lobby, workerAt(2, 2));
    order.dropRun(workerAt(2, 1));
    order.leave(lobby, workerAt(2, 1));
    order.join(lobby, workerAt(2, 1));
    expect([...order.publish(lobby).runs.values()]).toEqual([workerAt(2, 2)]);
    order.dropRun(workerAt(2, 2));
    expect(order.channelCount).toBe(0);
  });

  it('numbers the messages of a channel upwards however often it empties', () => {
    const act = fc.oneof(
      fc.record({ type: fc.constant('join' as const), slot: fc.nat(3), channel: fc.constantFrom('a', 'b') }),
      fc.record({ type: fc.constant('leave' as const), slot: fc.nat(3), channel: fc.constantFrom('a', 'b') }),
      fc.record({
        type: fc.constant('publish' as const),
        slot: fc.nat(3),
        channel: fc.constantFrom('a', 'b'),
      }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const order = new ChannelOrder(7);
        const last = new Map<string, number>();
        for (const { type, slot, channel } of acts) {
          const name = channel as ChannelName;
          if (type === 'join') order.join(name, workerAt(slot));
          else if (type === 'leave') order.leave(name, workerAt(slot));
          else {
            const { position, runs } = order.publish(name);
            if (runs.size === 0) continue;
            expect(position.run).toBe(7);
            expect(position.n).toBeGreaterThan(last.get(channel) ?? 0);
            last.set(channel, position.n);
          }
        }
      }),
    );
  });
});
