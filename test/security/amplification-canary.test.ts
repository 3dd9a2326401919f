/**
 * The judgement of `amplification.test.ts` can go the other way: a node whose application answers
 * everybody with megabytes amplifies, and each of the figures says so.
 *
 * That is the application's doing and no fault of the node, which is why it may stand here.
 */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { handshakeText } from '../support/index.ts';
import { amplificationOf, faultsOf, median } from './judgement.ts';
import { type Arena, MeasuredNode } from './measured-node.ts';
import { ORDINARY } from './ordinary-traffic.ts';

const ANSWER_BYTES = 46 * 2 ** 20;
const CLIENTS = 4;

/** Clients that are refused at length; the answer is held until they read. */
async function refusedAtLength({ attacker, application, port }: Arena): Promise<void> {
  const body = gzipSync(Buffer.alloc(ANSWER_BYTES));
  application.handlers.connect = () => ({ status: 403, headers: ['Content-Encoding', 'gzip'], body });
  const sockets = Array.from({ length: CLIENTS }, () => attacker.open(port, handshakeText({ port })));
  for (const { socket } of sockets) socket.pause();
  await application.waitFor('connect', CLIENTS + 1);
  for (const { socket } of sockets) socket.resume();
  await Promise.all(sockets.map(({ closed }) => closed));
}

test('an application that answers at length is found to amplify', async () => {
  const node = await MeasuredNode.start({ limits: { body: '48MiB' } });
  await node.measure((arena) => ORDINARY.connects(arena, ''));
  const ordinary = median([await node.measure((arena) => ORDINARY.connects(arena, ''))]);
  expect(faultsOf(ordinary, ordinary)).toEqual([]);
  const cost = await node.measure(refusedAtLength);
  console.info(amplificationOf(cost, ordinary), `${Math.round(cost.peakBytes / 2 ** 20)} MiB`);
  const faults = faultsOf(cost, ordinary).map((fault) => fault.split(':')[0]);
  expect(faults).toEqual(['cpu', 'memory', 'outgoing', 'memory']);
});

test('a log line for every byte is found to amplify', () => {
  const nothing = { cpuNs: 1, peakBytes: 0, answeredBytes: 0, callbackBytes: 0, logBytes: 0 };
  const ordinary = { ...nothing, payloadBytes: 1_000, wireBytes: 1_000 };
  expect(faultsOf({ ...ordinary, logBytes: 99_000 }, ordinary)).toEqual([]);
  expect(faultsOf({ ...ordinary, logBytes: 101_000 }, ordinary)).toEqual(['log: 101.0 times']);
});
