/**
 * `limits.*_per_address` and `limits.messages_per_connection` at a real node, with real sockets.
 */
import { connect as connectSocket } from 'node:net';
import { expect, test } from 'vitest';
import {
  cleanUpAfterwards,
  type HandshakeAnswer,
  handshake,
  handshakeText,
  openWebSocket,
  type RawClient,
  type RunningNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const api = { listen: '127.0.0.1:0' };

async function figure(node: RunningNode, sample: string): Promise<number> {
  const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
  const values = [...page.matchAll(new RegExp(`^${sample}.* (\\d+)$`, 'gm'))];
  return values.reduce((total, [, value]) => total + Number(value), 0);
}

/** Connects one after the other, and keeps what was let in. */
async function knock(
  port: number,
  times: number,
): Promise<{ inside: RawClient[]; refused: HandshakeAnswer[] }> {
  const inside: RawClient[] = [];
  const refused: HandshakeAnswer[] = [];
  for (let time = 0; time < times; time++) {
    const client = handshake({ port, path: `/connect?key=k${time}` });
    const answer = await client.answered;
    if (answer.status === 101) inside.push(client);
    else refused.push(answer);
  }
  return { inside, refused };
}

/** The first line of the answer to somebody who comes from another address of this host. */
function knockFrom(localAddress: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: '127.0.0.1', port, localAddress });
    cleanUpAfterwards(() => {
      socket.destroy();
    });
    socket.on('error', reject);
    socket.once('data', (bytes) => resolve(String(bytes).split('\r\n')[0] as string));
    socket.write(handshakeText({ port, path: '/connect?key=elsewhere' }));
  });
}

test.each([1, 2])('connections of one address are bounded in each of %i worker(s)', async (workers) => {
  const application = await startApplication();
  const limits = { connections_per_address: 3 };
  const node = await startNode({ config: { workers, callback: application.callback, limits, api } });
  const { port } = node.addresses.public;
  const { inside, refused } = await knock(port, 20);
  expect(inside.length).toBeGreaterThanOrEqual(3);
  expect(inside.length).toBeLessThanOrEqual(3 * workers);
  expect(application.calls('connect')).toHaveLength(inside.length);
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 429, body: 'Too Many Requests: connections of this address\n' });
    expect(Number(answer.header('Retry-After'))).toBeGreaterThan(0);
  }
  expect(await knockFrom('127.0.0.2', port)).toBe('HTTP/1.1 101 Switching Protocols');
  expect(await figure(node, 'arrokoth_address_refusals_total\\{limit="connections"')).toBe(refused.length);

  for (const client of inside) client.sendClose(1000);
  await Promise.all(inside.map((client) => client.closed));
  await application.waitFor('close', inside.length);
  expect((await knock(port, 1)).inside).toHaveLength(1);
});

test('behind a trusted proxy each client is counted apart', async () => {
  const application = await startApplication();
  const limits = { connections_per_address: 1 };
  const trusted_proxies = ['127.0.0.1'];
  const node = await startNode({ config: { callback: application.callback, limits, trusted_proxies } });
  const { port } = node.addresses.public;
  const statusOf = async (client: string): Promise<number> => {
    const headers = ['X-Forwarded-For', client];
    return (await handshake({ port, path: `/connect?key=${client}`, headers }).answered).status;
  };
  for (const client of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) expect(await statusOf(client)).toBe(101);
  for (const client of ['192.0.2.1', '::ffff:192.0.2.2', '2001:db8::2']) {
    expect(await statusOf(client)).toBe(429);
  }
  expect([await statusOf('nonsense'), await statusOf('other-nonsense')]).toEqual([101, 429]);
});

test('connects of one address are bounded in time', async () => {
  const application = await startApplication();
  const limits = { connects_per_address: 1, connects_per_address_burst: 4 };
  const node = await startNode({ config: { callback: application.callback, limits, api } });
  const { port } = node.addresses.public;
  const { inside, refused } = await knock(port, 30);
  expect(inside.length).toBeGreaterThanOrEqual(4);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({ status: 429, statusText: 'Too Many Requests' });
  expect(await knockFrom('127.0.0.2', port)).toBe('HTTP/1.1 101 Switching Protocols');
  await expect
    .poll(async () => (await knock(port, 1)).inside.length, { timeout: 10_000, interval: 250 })
    .toBe(1);
});

test.each([1, 2])(
  'a fast client is slowed down, and a flood is closed, with %i worker(s)',
  async (workers) => {
    const application = await startApplication();
    const limits = { messages_per_connection: 20, messages_per_connection_burst: 10 };
    const node = await startNode({ config: { workers, callback: application.callback, limits, api } });
    const { port } = node.addresses.public;
    const fast = await openWebSocket({ port, path: '/connect?key=fast' });
    const said = Array.from({ length: 30 }, (_, number) => `m${number}`);
    for (const text of said) fast.sendText(text);
    const heard = await application.waitFor('receive', said.length);
    expect(heard.map(({ body }) => String(body))).toEqual(said);
    expect(await figure(node, 'arrokoth_throttle_pauses_total')).toBeGreaterThan(0);
    fast.sendText('and on it goes');
    await application.waitFor('receive', said.length + 1);

    const flood = await openWebSocket({ port, path: '/connect?key=flood' });
    flood.socket.cork();
    for (let number = 0; number < 1_000; number++) flood.sendText('x');
    flood.socket.uncork();
    expect((await flood.closed).closeFrame).toEqual({ code: 1008, reason: 'too many messages' });
    const end = await application.waitForCall(({ kind }) => kind === 'close');
    expect(end.header('X-Arrokoth-Reason')).toBe('message_flood');
    expect(await figure(node, 'arrokoth_message_floods_total')).toBe(1);
  },
);
