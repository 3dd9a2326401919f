/** The operator's API of a real node: heads, tokens, bounds, and lists of many rows. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import {
  cleanUpAfterwards,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
  type TestAnswer,
} from '../support/index.ts';

const api = { listen: '127.0.0.1:0' };

function ask(
  node: RunningNode,
  target: string,
  body = '',
  headers: readonly string[] = [],
): Promise<TestAnswer> {
  const url = `${node.addresses.api?.url}/`;
  return request({ url, method: 'POST', headers: ['x-sora-target', target, ...headers], body });
}

/** Everything that the node says to `text`. */
function converse(node: RunningNode, text: string): Promise<string> {
  const socket = connect({ port: node.addresses.api?.port as number, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  let heard = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    heard += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  return new Promise((resolve) => socket.on('close', () => resolve(heard)));
}

test('heads hold what clients of the original expect, and nothing else', async () => {
  const node = await startNode({ config: { api: { ...api, cors_origin: 'http://127.0.0.1:5000' } } });
  const call =
    'POST / HTTP/1.1\r\nHost: a\r\nx-sora-target: Sora_20171218.GetLicense\r\nContent-Length: 0\r\n';
  const text = await converse(node, `${call}\r\n${call}Connection: close\r\n\r\n`);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head.split('\r\n')).toEqual([
    'HTTP/1.1 200 OK',
    'access-control-allow-headers: Origin, X-Requested-With, Content-Type, Accept, x-sora-target',
    'access-control-allow-methods: POST, OPTIONS',
    'access-control-allow-origin: http://127.0.0.1:5000',
    'access-control-max-age: 1000',
    expect.stringMatching(/^content-length: \d+$/),
    'content-type: application/json',
    expect.stringMatching(/^date: .* GMT$/),
    'server: arrokoth',
  ]);
  expect(body).toMatch(
    /^\{"expired_at":"9999-12","max_connections":\d+,"max_nodes":1,"product_name":"Arrokoth",/,
  );
  const preflight = await request({ url: `${node.addresses.api?.url}/`, method: 'OPTIONS' });
  expect([preflight.status, preflight.text, preflight.header('access-control-max-age')]).toEqual([
    200,
    '',
    '1000',
  ]);
});

test('the token is asked for first, but not of a preflight', async () => {
  const origin = 'https://a.example';
  const node = await startNode({ config: { api: { ...api, token: 'tulip', cors_origin: origin } } });
  const refused = await ask(node, 'Sora_20171218.GetLicense');
  expect([refused.status, refused.header('access-control-allow-origin')]).toEqual([401, origin]);
  const headers = ['Authorization', 'Bearer tulip'];
  expect((await ask(node, 'Sora_20171218.GetLicense', '', headers)).status).toBe(200);
  expect((await request({ url: `${node.addresses.api?.url}/`, method: 'OPTIONS' })).status).toBe(200);
});

test('a body that is too large or does not come ends the connection with a word', async () => {
  const node = await startNode({ config: { api, limits: { handshake_timeout: '200ms' } } });
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nx-sora-target: Sora_20160711.PushChannel\r\nContent-Length: ';
  const tooLarge = await converse(node, `${head}8000001\r\n\r\n`);
  expect(tooLarge).toMatch(/^HTTP\/1\.1 413 .*connection: close\r\n.*\{"error_type":"PayloadTooLarge"\}$/s);
  const late = await converse(node, `${head}10\r\n\r\n{`);
  expect(late).toMatch(/^HTTP\/1\.1 408 .*connection: close\r\n.*\{"error_type":"RequestTimeout"\}$/s);
});

test('a list that is longer than one piece comes in chunks and is whole, from all workers', async () => {
  const application = await startApplication();
  const node = await startNode({ config: { workers: 2, api, callback: application.callback } });
  const channels = Array.from({ length: 60 }, (_, number) => `channel=${'c'.repeat(100)}${number}`).join('&');
  const target = { port: node.addresses.public.port };
  for (let number = 0; number < 20; number++) {
    await openWebSocket({ ...target, path: `/connect?key=k${number}&${channels}` });
  }
  const rows = async () => {
    const answer = await ask(node, 'Sora_20201013.ListConnections');
    return { answer, rows: JSON.parse(answer.text) as Record<string, string>[] };
  };
  await expect.poll(async () => (await rows()).rows.length).toBe(20 * 60);
  const { answer, rows: all } = await rows();
  expect([answer.header('transfer-encoding'), answer.header('content-length')]).toEqual([
    'chunked',
    undefined,
  ]);
  expect(new Set(all.map((row) => `${row.connection_id} ${row.channel_id}`)).size).toBe(20 * 60);
  const listed = JSON.parse(
    (await ask(node, 'Sora_20201013.ListChannels', '{"local":true}')).text,
  ) as unknown[];
  expect(listed).toHaveLength(60);
  const one = all[0] as Record<string, string>;
  const order = JSON.stringify({ channel_id: one.channel_id, connection_id: one.connection_id });
  expect((await ask(node, 'Sora_20151104.DisconnectConnection', order)).text).toBe(order);
  const again = await ask(node, 'Sora_20151104.DisconnectConnection', order);
  expect([again.status, JSON.parse(again.text)]).toEqual([
    400,
    { error_type: 'CONNECTION-NOT-FOUND', error_reason: JSON.parse(order) },
  ]);
  const stats = JSON.parse((await ask(node, 'Sora_20171010.GetStatsReport')).text);
  expect(stats).toMatchObject({ total_connection_created: 20, total_ongoing_connections: 19 });
});
