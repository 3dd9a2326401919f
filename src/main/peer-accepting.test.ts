/** The port of a log without descriptors: given up, had again, and never held after its end. */
import { beforeEach, expect, it } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import type { BoundListener } from '../process/index.ts';
import { PeerAccepting, peerGate } from './peer-accepting.ts';

let time: FakeTime;
let steps: string[];
let free: number;
let isTaken: boolean;
let made: number;
beforeEach(() => {
  time = new FakeTime();
  steps = [];
  free = 100;
  isTaken = false;
  made = 0;
});

function bound(): BoundListener {
  const number = ++made;
  return { handle: {}, address: 'here', port: 1, close: () => steps.push(`close ${number}`) };
}

function open(): PeerAccepting {
  return new PeerAccepting(bound(), {
    ...{ timers: time, logger: new CollectedLog(), canOpen: (count) => count <= free },
    bind: async () => (isTaken ? null : bound()),
    listen: () => steps.push(`listen ${made}`),
    unlisten: () => steps.push('unlisten'),
  });
}

async function look(): Promise<void> {
  time.advance(LIMITS.overloadLookMs);
  await Promise.resolve();
  await Promise.resolve();
}

it('gives the port up when nothing can be opened, and takes it again when there is room', async () => {
  open();
  await look();
  free = 0;
  await look();
  await look();
  // One alone would be gone with the first caller.
  free = 1;
  await look();
  expect(steps).toEqual(['listen 1', 'unlisten', 'close 1']);
  free = 8;
  isTaken = true;
  await look();
  isTaken = false;
  await look();
  await look();
  expect(steps.slice(3)).toEqual(['listen 2']);
});

it('holds nothing after its end, even if it was about to', async () => {
  const accepting = open();
  free = 0;
  await look();
  free = 8;
  time.advance(LIMITS.overloadLookMs);
  accepting.close();
  await look();
  expect(steps).toEqual(['listen 1', 'unlisten', 'close 1', 'close 2']);
  expect(time.pending).toBe(0);
});

it('has a gate only where the host has a limit', () => {
  const facts = { isPlain: true, logger: new CollectedLog(), refused: () => {} };
  expect(peerGate({ ...facts, descriptorsMax: null })).toBeNull();
  expect(peerGate({ ...facts, descriptorsMax: Number.POSITIVE_INFINITY })).toBeNull();
  expect(peerGate({ ...facts, descriptorsMax: 1_024 })).not.toBeNull();
});
