/** The simulated network does to packets what it says, and nothing else. */
import { describe, expect, it } from 'vitest';
import { Network, type NetworkOptions } from './network.ts';
import { Rng } from './rng.ts';
import { World } from './world.ts';

const KIND: NetworkOptions = {
  ...{ lossChance: 0, repeatChance: 0, delayLeastMs: 1, delayMeanMs: 2 },
  ...{ stragglerChance: 0, stragglerMeanMs: 0 },
};

function netOf(options: Partial<NetworkOptions> = {}) {
  const world = new World();
  const network = new Network(world, new Rng('net'), 3, { ...KIND, ...options });
  const arrived: number[] = [];
  const keep = (packet: number): void => void arrived.push(packet);
  const sendMany = (count: number, from = 0, to = 1): void => {
    for (let packet = 0; packet < count; packet++) network.send(from, to, keep, packet);
  };
  return { world, network, arrived, sendMany };
}

describe('Network', () => {
  it('carries each packet once, late, and lets some overtake others', () => {
    const { world, arrived, sendMany } = netOf();
    sendMany(200);
    world.runUntil(0.9);
    expect(arrived).toEqual([]);
    world.runUntil(1_000);
    const inOrder = Array.from({ length: 200 }, (_, packet) => packet);
    expect(arrived.toSorted((left, right) => left - right)).toEqual(inOrder);
    expect(arrived).not.toEqual(inOrder);
  });

  it('loses and repeats as often as its options say', () => {
    const { world, network, arrived, sendMany } = netOf({ lossChance: 0.2, repeatChance: 0.1 });
    sendMany(5_000);
    world.runUntil(10_000);
    expect(network.lost).toBeGreaterThan(850);
    expect(network.lost).toBeLessThan(1_150);
    expect(network.repeated).toBeGreaterThan(300);
    expect(arrived.length).toBe(5_000 - network.lost + network.repeated);
  });

  it('cuts one direction and leaves the other', () => {
    const { world, network, arrived, sendMany } = netOf();
    network.cut(0, 1);
    sendMany(10, 0, 1);
    world.runUntil(100);
    expect(arrived).toEqual([]);
    sendMany(10, 1, 0);
    network.heal(0, 1);
    sendMany(10, 0, 1);
    world.runUntil(200);
    expect(arrived).toHaveLength(20);
  });

  it('keeps packets in a clogged link up to its bound, and lets go of them', () => {
    const { world, network, arrived, sendMany } = netOf();
    network.clog(0, 1);
    sendMany(1_500);
    world.runUntil(1_000);
    expect(arrived).toEqual([]);
    network.unclog(0, 1);
    world.runUntil(2_000);
    expect([arrived.length, network.lost]).toEqual([1_000, 500]);
  });

  it('is calm when told so, but for links that are worse than others', () => {
    const { world, network, arrived, sendMany } = netOf({ lossChance: 1 });
    network.calm();
    network.worsen(1, 2, { lossChance: 1, delayMeanMs: 0 });
    sendMany(10, 0, 1);
    sendMany(10, 1, 2);
    world.runUntil(100);
    expect(arrived).toHaveLength(10);
    network.healAll();
    sendMany(10, 1, 2);
    world.runUntil(200);
    expect(arrived).toHaveLength(20);
  });
});
