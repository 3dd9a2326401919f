/**
 * permessage-deflate on a real node: clients with and without it, two workers, bombs, and broken
 * handshakes.
 */
import { readFileSync } from 'node:fs';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  AwaitedList,
  cleanUpAfterwards,
  handshake,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const MIB = 1_024 * 1_024;
const OFFER = ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'];
const RSV1 = 4;
const ROWS = JSON.stringify(Array.from({ length: 40 }, (_, id) => ({ id, pair: 'EURUSD', open: true })));

async function startBoth(config: Readonly<Record<string, unknown>> = {}) {
  const application = await startApplication();
  const { connect, receive, close } = application.callback;
  const node = await startNode({
    config: {
      callback: { connect, receive, close },
      api: { listen: '127.0.0.1:0' },
      compression: { enabled: true },
      ...config,
    },
  });
  return { application, node, port: node.addresses.public.port };
}

interface Reader {
  readonly socket: WebSocket;
  readonly heard: AwaitedList<string>;
}

async function open(port: number, query: string, perMessageDeflate: boolean): Promise<Reader> {
  const options = perMessageDeflate ? { threshold: 0 } : false;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/connect?${query}`, { perMessageDeflate: options });
  cleanUpAfterwards(() => socket.terminate());
  const heard = new AwaitedList<string>('messages');
  socket.on('message', (bytes: Buffer) => heard.push(bytes.toString()));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, heard };
}

async function send(node: RunningNode, headers: readonly string[], body: string): Promise<void> {
  const answer = await request({ url: `${node.addresses.public.url}/send`, headers, body });
  expect(answer.status).toBe(200);
}

/** The sum of a metric over all gateway workers, labels included. */
async function figure(node: RunningNode, name: string): Promise<number> {
  const page = await request({ url: `${node.addresses.api?.url}/metrics` });
  const lines = [...page.text.matchAll(new RegExp(`^arrokoth_${name}\\{.*\\} (\\d+)$`, 'gm'))];
  return lines.reduce((sum, [, value]) => sum + Number(value), 0);
}

it('sends each client its form, in one order, and compresses a broadcast once a worker', async () => {
  const { node, port, application } = await startBoth({ workers: 2 });
  application.handlers.connect = ({ query }) => ({
    headers: ['X-Kuiperbelt-Session', query.get('key') ?? '', 'X-Kuiperbelt-Channel', 'room'],
    body: `hello ${ROWS}`,
  });
  const readers: Reader[] = [];
  for (let index = 0; index < 16; index++) readers.push(await open(port, `key=${index}`, index % 2 === 0));
  await Promise.all(readers.map(({ heard }) => heard.atLeast(1)));
  const hellos = await figure(node, 'deflated_messages_total');
  expect(hellos).toBe(8);
  const words = [1, 2, 3, 4, 5, 6].map((turn) => (turn % 3 === 0 ? `short ${turn}` : `${turn} ${ROWS}`));
  for (const text of words) await send(node, ['X-Kuiperbelt-Channel', 'room'], text);
  for (const { heard } of readers) {
    expect(await heard.atLeast(1 + words.length)).toEqual([`hello ${ROWS}`, ...words]);
  }
  const broadcasts = (await figure(node, 'deflated_messages_total')) - hellos;
  expect([4, 8]).toContain(broadcasts);
  expect(await figure(node, 'deflated_output_bytes_total')).toBeLessThan(
    (await figure(node, 'deflated_input_bytes_total')) / 5,
  );
});

it('writes what RFC 7692 says, byte for byte', async () => {
  const { node, port } = await startBoth();
  const client = await openWebSocket({ port, path: '/connect?key=ada', headers: OFFER });
  expect((await client.answered).header('Sec-WebSocket-Extensions')).toBe(
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  );
  for (let repeated = 0; repeated < 2; repeated++) {
    await send(node, ['X-Kuiperbelt-Session', 'ada'], ROWS);
    const frame = await client.nextFrame();
    expect(frame).toMatchObject({ opcode: 1, rsv: RSV1, fin: true });
    const stream = Buffer.concat([frame.payload, Buffer.from('0000ffff', 'hex')]);
    expect(inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(ROWS);
  }
  await send(node, ['X-Kuiperbelt-Session', 'ada'], 'short');
  expect(await client.nextFrame()).toMatchObject({ rsv: 0, text: 'short' });
});

it('passes on what clients compress, each in its order', async () => {
  const { port, application } = await startBoth();
  const { socket } = await open(port, 'key=ada', true);
  const texts = ['a', '', 'b'.repeat(500_000), 'c', ROWS, 'd'.repeat(900_000), 'e'];
  for (const text of texts) socket.send(text);
  const calls = await application.waitFor('receive', texts.length);
  // Lengths first: a difference of a megabyte is hard to read.
  expect(calls.map(({ body }) => body.length)).toEqual(texts.map(({ length }) => length));
  for (const [index, { body }] of calls.entries())
    expect(body.equals(Buffer.from(texts[index] ?? ''))).toBe(true);
});

it('refuses a handshake with a malformed offer before the application hears of it', async () => {
  const { port, application } = await startBoth();
  for (const offer of ['permessage-deflate;', 'permessage-deflate; a="', '=']) {
    const headers = ['Sec-WebSocket-Extensions', offer];
    expect((await handshake({ port, headers }).answered).status).toBe(400);
  }
  expect(application.calls('connect')).toHaveLength(0);
  const headers = ['Sec-WebSocket-Extensions', 'permessage-deflate; unknown, tea'];
  const declined = await openWebSocket({ port, headers });
  expect((await declined.answered).header('Sec-WebSocket-Extensions')).toBeUndefined();
});

it('is off unless it is asked for, and then reads no offers', async () => {
  const { port } = await startBoth({ compression: {} });
  const client = await openWebSocket({ port, headers: ['Sec-WebSocket-Extensions', 'permessage-deflate;'] });
  expect((await client.answered).header('Sec-WebSocket-Extensions')).toBeUndefined();
  client.sendFrame({ rsv: RSV1, payload: Buffer.of(0) });
  expect((await client.closed).closeFrame).toEqual({ code: 1002, reason: 'unexpected reserved bits 0x40' });
});

/** 1 GiB of zeros in just less than 1 MiB, made of one part of 4 MiB. */
function makeBomb(): Buffer {
  const part = deflateRawSync(Buffer.alloc(4 * MIB), { finishFlush: constants.Z_SYNC_FLUSH });
  const bomb = Buffer.concat([...Array<Buffer>(255).fill(part), part.subarray(0, -4)]);
  expect(bomb.length).toBeLessThan(MIB);
  return bomb;
}

/** CPU time and the most memory that a process has ever held. */
function costOf(pid: number): { cpuSeconds: number; peakBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, peakBytes: Number(peak) * 1_024 };
}

it('cuts bombs at the bound of a message, and a witness goes on hearing', async () => {
  const { node, port, application } = await startBoth();
  const bomb = makeBomb();
  const witness = await open(port, 'key=witness', true);
  const hear = async (text: string) => {
    await send(node, ['X-Kuiperbelt-Session', 'witness'], text);
    await witness.heard.first((heard) => heard === text);
  };
  const explode = async () => {
    const client = await openWebSocket({ port, headers: OFFER });
    client.sendFrame({ rsv: RSV1, payload: bomb });
    return client.closed;
  };
  const costs = () => node.workers().map(costOf);
  // The first ones fill the buffers that any large message fills.
  await Promise.all([explode(), explode()]);
  const before = costs();
  const bombs = 40;
  for (let index = 0; index < bombs; index += 4) {
    const closed = [explode(), explode(), explode(), explode()];
    await hear(`${index} ${ROWS}`);
    for (const { closeFrame } of await Promise.all(closed)) {
      expect(closeFrame).toEqual({ code: 1009, reason: 'message too large' });
    }
  }
  const after = costs();
  const cpuSeconds = Math.max(
    ...after.map((cost, index) => cost.cpuSeconds - (before[index]?.cpuSeconds ?? 0)),
  );
  const grown = Math.max(...after.map((cost, index) => cost.peakBytes - (before[index]?.peakBytes ?? 0)));
  console.log(
    `${bombs} bombs of 1 GiB: ${cpuSeconds.toFixed(2)} s of CPU time, ${(grown / MIB).toFixed(0)} MiB`,
  );
  // Inflating them whole takes half a second each, or a gibibyte.
  expect(cpuSeconds).toBeLessThan(bombs * 0.1);
  expect(grown).toBeLessThan(128 * MIB);
  expect(application.calls('receive')).toHaveLength(0);
  expect(await figure(node, 'inflate_refusals_total')).toBe(bombs + 2);
});

it('ends a client whose data is invalid or too long on the wire, and tells the application why', async () => {
  const { port, application } = await startBoth({ compression: { enabled: true, client_message: 100 } });
  const invalid = await openWebSocket({ port, headers: OFFER });
  invalid.sendFrame({ rsv: RSV1, payload: Buffer.from('ffffff', 'hex') });
  expect((await invalid.closed).closeFrame).toEqual({ code: 1007, reason: 'invalid compressed data' });
  const long = await openWebSocket({ port, headers: OFFER });
  long.sendFrame({ rsv: RSV1, payload: Buffer.alloc(101) });
  expect((await long.closed).code).toBe(1009);
  const told = await application.waitFor('close', 2);
  expect(told.map((call) => call.header('X-Arrokoth-Reason'))).toEqual([
    'protocol_error',
    'message_too_large',
  ]);
  expect(application.calls('receive')).toHaveLength(0);
});
