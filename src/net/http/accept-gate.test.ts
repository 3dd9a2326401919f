/** The gate before accepted sockets, with sockets that have the numbers the test wants. */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { handshake } from '../../../test/support/index.ts';
import { LIMITS } from '../../base/index.ts';
import { systemClock } from '../../system/index.ts';
import { FakeSocket } from '../testdata/fake-socket.ts';
import { startServer } from '../testdata/test-server.ts';
import { AcceptGate } from './accept-gate.ts';
import { LingeringClose } from './lingering-close.ts';

const ANSWER = { status: 503, headers: ['Retry-After', '3'], body: 'full\n' };

function socketNumber(fd: number): Socket {
  const { socket } = new FakeSocket();
  Object.assign(socket, { _handle: { fd } });
  return socket;
}

function makeGate({ answers = true } = {}) {
  const time = new FakeTime();
  const log = new CollectedLog();
  const refused: string[] = [];
  const failed: string[] = [];
  let used = 0;
  const gate = new AcceptGate({
    clock: time,
    logger: log,
    bounds: { reserveFrom: 100, neverFrom: 150 },
    reserveUsed: () => used,
    answer: answers ? () => ANSWER : null,
    refused: (outcome) => refused.push(outcome),
    failed: (code) => failed.push(code),
  });
  const lingering = new LingeringClose(time);
  return {
    ...{ gate, time, log, refused, failed },
    admits: (fd: number) => gate.admits(socketNumber(fd), lingering),
    use: (count: number) => {
      used = count;
    },
  };
}

test('admits below the reserve, and sockets without a number', () => {
  const { admits, refused } = makeGate();
  expect([admits(3), admits(99), admits(-1)]).toEqual([true, true, true]);
  expect(refused).toEqual([]);
});

test('does not reserve twice what callbacks hold already, and keeps the very last for itself', () => {
  const { admits, use } = makeGate();
  expect(admits(100)).toBe(false);
  use(20);
  expect([admits(119), admits(120)]).toEqual([true, false]);
  use(1_000);
  expect([admits(149), admits(150)]).toEqual([true, false]);
});

test('follows other bounds', () => {
  const { admits, gate } = makeGate();
  gate.adjust({ reserveFrom: 50, neverFrom: 150 });
  expect([admits(49), admits(50)]).toEqual([true, false]);
});

test('answers a bounded number at a time, and cuts the others', () => {
  const { admits, refused } = makeGate();
  for (let count = 0; count < LIMITS.refusedSocketsMax + 3; count++) admits(120);
  expect(refused.filter((outcome) => outcome === 'answered')).toHaveLength(LIMITS.refusedSocketsMax);
  expect(refused.filter((outcome) => outcome === 'cut')).toHaveLength(3);
});

test('cuts everybody where an answer could not be read', () => {
  const { admits, refused } = makeGate({ answers: false });
  admits(120);
  expect(refused).toEqual(['cut']);
});

test('writes one line a second, however many there are', () => {
  const { admits, gate, time, log, failed } = makeGate();
  for (let count = 0; count < 50; count++) admits(120);
  time.advance(1_000);
  admits(120);
  expect(log.lines.map(({ fields }) => fields.times)).toEqual([1, 50]);
  for (let count = 0; count < 50; count++) gate.failed(Object.assign(new Error(), { code: 'EMFILE' }));
  expect(log.lines).toHaveLength(2);
  time.advance(1_000);
  gate.failed(new Error());
  expect(log.lines.at(-1)).toMatchObject({
    message: 'cannot accept',
    fields: { code: 'UNKNOWN', times: 51 },
  });
  expect(failed.slice(-2)).toEqual(['EMFILE', 'UNKNOWN']);
});

test('a server behind a closed gate answers before it has read anything, and closes', async () => {
  const gate = new AcceptGate({
    clock: systemClock,
    logger: new CollectedLog(),
    bounds: { reserveFrom: 0, neverFrom: 0 },
    reserveUsed: () => 0,
    answer: () => ANSWER,
    refused: () => {},
    failed: () => {},
  });
  const { port } = await startServer({ gate });
  const client = handshake({ port });
  expect(await client.answered).toMatchObject({ status: 503, body: 'full\n' });
  expect(await client.closed).toMatchObject({ orderly: true });
});
