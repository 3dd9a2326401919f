/**
 * PROXY protocol at the public listener of a real node: clients with addresses of their own, hostile
 * bytes, and everything that HTTP does after the header.
 */
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import {
  cleanUpAfterwards,
  encodeClientFrame,
  handshake,
  handshakeText,
  OPCODE,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const V1 = 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n';
/** IPv6, and a TLV that nobody reads. */
const V2 = Buffer.from(
  '0d0a0d0a000d0a515549540a2121002a20010db8000000000000000000000007' +
    '0000000000000000000000000000000112340050ea000301ffff',
  'hex',
);
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

async function startBoth(config: Readonly<Record<string, unknown>> = {}) {
  const application = await startApplication();
  const { connect: callback, receive } = application.callback;
  const node = await startNode({
    config: {
      callback: { connect: callback, receive },
      trusted_proxies: ['127.0.0.1'],
      proxy_protocol: 'required',
      app: { listen: '127.0.0.1:0' },
      ...config,
    },
  });
  return { application, node, port: node.addresses.public.port };
}

async function refusals(node: RunningNode): Promise<Record<string, number>> {
  const { text } = await request({ url: `${node.addresses.api?.url}/metrics` });
  const samples = text.matchAll(/^arrokoth_proxy_refusals_total\{cause="(\w+)".*\} (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, cause, value]) => [cause, Number(value)]));
}

function dial(port: number, localAddress = '127.0.0.1'): { socket: Socket; all: Promise<string> } {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const all = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  return { socket, all };
}

it.each([
  ['version 1', Buffer.from(V1), '203.0.113.7'],
  ['version 2', V2, '2001:db8::7'],
  ['version 2, for the proxy itself', LOCAL, '127.0.0.1'],
])(
  'says who the client is, and nothing that it says about itself counts (%s)',
  async (_name, header, who) => {
    const { application, node, port } = await startBoth();
    const headers = ['Host', 'chat.example', 'X-Forwarded-Proto', 'https'];
    const head = Buffer.from(handshakeText({ path: '/connect?key=ada', headers }));
    const client = await openWebSocket({ port, rawRequest: Buffer.concat([header, head]) });
    const [call] = await application.waitFor('connect', 1);
    expect(call?.headerLines('X-Forwarded-For')).toEqual([who]);
    // The proxy's own word is believed, that of a client behind it is not.
    expect(call?.headerLines('X-Forwarded-Proto')).toEqual([who === '127.0.0.1' ? 'https' : 'http']);
    client.sendText('up');
    expect((await application.waitFor('receive', 1))[0]?.body.toString()).toBe('up');
    const app = node.addresses.app?.url ?? '';
    await request({ url: `${app}/send`, headers: ['X-Kuiperbelt-Session', 'ada'], body: 'down' });
    expect(await client.nextText()).toBe('down');
    client.sendClose(1000);
    expect((await client.closed).code).toBe(1000);
  },
);

it('reads headers and requests in single bytes, and requests one after the other', async () => {
  const { port } = await startBoth();
  const { socket, all } = dial(port);
  const ping = 'GET /ping HTTP/1.1\r\nHost: x\r\n';
  const text = `${V1}${ping}\r\n${ping}Connection: close\r\n\r\n`;
  for (const byte of Buffer.from(text)) {
    await new Promise<void>((resolve) => socket.write(Uint8Array.of(byte), () => resolve()));
  }
  expect((await all).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

it('carries the hello, and a large message in many pieces', async () => {
  const { application, port } = await startBoth();
  application.handlers.connect = () => ({ headers: ['X-Kuiperbelt-Session', 'ada'], body: 'hello' });
  const client = await openWebSocket({ port, rawRequest: V1 + handshakeText({}) });
  expect(await client.nextText()).toBe('hello');
  const frame = encodeClientFrame({ opcode: OPCODE.text, payload: 'x'.repeat(70_000) });
  for (let at = 0; at < frame.length; at += 1_000) client.sendBytes(frame.subarray(at, at + 1_000));
  expect((await application.waitFor('receive', 1))[0]?.body).toHaveLength(70_000);
});

it('cuts whoever is not trusted or speaks anything else, and serves the others', async () => {
  const { port, application, node } = await startBoth({ api: { listen: '127.0.0.1:0' } });
  const ping = 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const hostile: [bytes: string | Buffer, from?: string][] = [
    [V1 + ping, '127.0.0.2'],
    [ping],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\n'],
    [`PROXY UNKNOWN ${'x'.repeat(100_000)}`],
    [Buffer.concat([V2.subarray(0, 14), Buffer.from([0xff, 0xff]), Buffer.alloc(65_535)])],
    [Buffer.from([0x16, 3, 1, 0, 200])],
  ];
  for (const [bytes, from] of hostile) {
    const { socket, all } = dial(port, from);
    socket.write(bytes);
    expect(await all).toBe('');
  }
  expect((await handshake({ port, rawRequest: V1 + handshakeText({}) }).answered).status).toBe(101);
  expect(application.calls('connect')).toHaveLength(1);
  expect(await refusals(node)).toEqual({ untrusted: 1, malformed: 5 });
});

it('waits for a header no longer than for a handshake', async () => {
  const { port, node } = await startBoth({
    limits: { handshake_timeout: '200ms' },
    api: { listen: '127.0.0.1:0' },
  });
  const silent = dial(port);
  const slow = dial(port);
  slow.socket.write('PROXY TCP4');
  const half = dial(port);
  half.socket.end('PROXY TCP4');
  expect(await Promise.all([silent.all, slow.all, half.all])).toEqual(['', '', '']);
  // Whoever leaves of itself was not refused.
  expect(await refusals(node)).toEqual({ timeout: 2 });
});

it('leaves the other listeners and a node that was not asked as they are', async () => {
  const { node } = await startBoth();
  expect((await request({ url: `${node.addresses.app?.url}/ping` })).status).toBe(200);
  const plain = await startBoth({ proxy_protocol: 'off' });
  expect((await request({ url: `http://127.0.0.1:${plain.port}/ping` })).status).toBe(200);
  const { socket, all } = dial(plain.port);
  socket.write(V1);
  expect(await all).toMatch(/^HTTP\/1\.1 400 /);
});
