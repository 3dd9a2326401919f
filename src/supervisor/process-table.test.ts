/** Wanted workers against actual ones: runs, pauses, counters. */
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../base/index.ts';
import { NO_STATS } from '../process/index.ts';
import { ProcessTable, type Seat } from './process-table.ts';

const first: Seat = { kind: 'gateway', slot: 0 };

function table(gateways = 1, api = false): ProcessTable {
  return new ProcessTable({ gateways, api, meshDir: '/mesh' });
}

describe('the process table', () => {
  test('has a seat for each gateway and one for the api', () => {
    expect(table(2, true).seats).toMatchObject([
      { kind: 'gateway', slot: 0 },
      { kind: 'gateway', slot: 1 },
      { kind: 'api', slot: 0 },
    ]);
  });

  test('numbers the runs of a seat and gives each a socket of its own', () => {
    const seats = table();
    const one = seats.begin(first, 0);
    seats.end(one, 5);
    const two = seats.begin(first, 10);
    expect([one.run, two.run]).toEqual([1, 2]);
    expect(one.meshPath).not.toBe(two.meshPath);
    expect(two.meshPath).toMatch(/^\/mesh\/.*\.sock$/);
  });

  test('a seat is filled by one run at a time, and the run that ends is the one that fills it', () => {
    const seats = table();
    const one = seats.begin(first, 0);
    expect(() => seats.begin(first, 0)).toThrow('one run at a time');
    seats.end(one, 0);
    expect(() => seats.end(one, 0)).toThrow('fills its seat');
  });

  test('counts only those that are ready', () => {
    const seats = table(2);
    const one = seats.begin(first, 0);
    const two = seats.begin({ kind: 'gateway', slot: 1 }, 0);
    expect(seats.peers()).toEqual([]);
    seats.ready(two);
    expect(seats.peers()).toEqual([two]);
    expect(seats.complete).toBe(false);
    seats.ready(one);
    expect(seats.peers()).toEqual([one, two]);
    expect(seats.complete).toBe(true);
    seats.load(one, { ...NO_STATS, connections: 7 });
    expect(seats.loads()).toEqual([
      { slot: 0, connections: 7 },
      { slot: 1, connections: 0 },
    ]);
    seats.end(one, 0);
    expect(seats.peers()).toEqual([two]);
  });

  test('a crash loop waits twice as long each time, up to the maximum', () => {
    const seats = table();
    const pauses: number[] = [];
    for (let count = 0; count < 12; count++)
      pauses.push(seats.end(seats.begin(first, 0), 9_999).restartAfterMs);
    expect(pauses.slice(0, 4)).toEqual([10, 20, 40, 80]);
    expect(pauses.at(-1)).toBe(LIMITS.workerRestartMaxMs);
  });

  test('a run of ten seconds forgives what was before it', () => {
    const seats = table();
    for (let count = 0; count < 5; count++) seats.end(seats.begin(first, 0), 0);
    const healthy = seats.begin(first, 1_000);
    seats.ready(healthy);
    expect(seats.end(healthy, 11_000)).toEqual({ restartAfterMs: LIMITS.workerRestartMs, failuresInARow: 0 });
    expect(seats.end(seats.begin(first, 11_000), 11_001)).toEqual({ restartAfterMs: 20, failuresInARow: 1 });
  });

  test('counters of ended runs stay, their connections do not', () => {
    const seats = table();
    const stats = {
      connections: 5,
      totalConnections: 9,
      totalMessages: 30,
      connectErrors: 2,
      messageErrors: 1,
      closingConnections: 4,
    };
    const kept = { ...stats, connections: 0, closingConnections: 0 };
    const one = seats.begin(first, 0);
    seats.load(one, stats);
    seats.end(one, 0);
    expect(seats.ended).toEqual(kept);
    const two = seats.begin(first, 0);
    seats.end(two, 0);
    expect(seats.ended).toEqual(kept);
    const three = seats.begin(first, 0);
    seats.load(three, { ...NO_STATS, totalMessages: 12 });
    seats.end(three, 0);
    expect(seats.ended).toEqual({ ...kept, totalMessages: 42 });
  });
});
