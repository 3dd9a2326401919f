/**
 * Long bodies, events, WebSockets, several backends and the end of a node, with real bytes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import {
  freePort,
  handshakeText,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startBackend,
  startNode,
  startRawBackend,
  talk,
} from '../support/index.ts';

const MIB = 1_024 * 1_024;
const CHUNK = Buffer.alloc(MIB, 'x');
const portOf = (node: RunningNode) => node.addresses.public.port;
const startBehind = (backends: unknown, upstream: object = {}, more: object = {}) =>
  startNode({ config: { ...more, upstream: { backends, ...upstream } } });
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Resident memory of all workers together. */
function memoryOf(node: RunningNode): number {
  const rss = (pid: number) =>
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return node.workers().reduce((sum, pid) => sum + Number(rss(pid)) * 1_024, 0);
}

it('holds neither a long upload nor a long download, whoever is slow', async () => {
  const MIBS = 256;
  const backend = await startBackend((incoming, response) => {
    if (incoming.method === 'PUT') {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => response.end(String(bytes)));
      return;
    }
    let left = MIBS;
    const more = (): void => {
      while (left > 0) if (--left >= 0 && !response.write(CHUNK)) return void response.once('drain', more);
      response.end();
    };
    more();
  });
  const node = await startBehind(backend.url);
  const before = memoryOf(node);
  let highest = 0;
  const reader = talk(portOf(node), '');
  reader.socket.removeAllListeners('data');
  let got = 0;
  reader.socket.on('data', (chunk: Buffer) => {
    const measured = Math.floor(got / (8 * MIB));
    got += chunk.length;
    if (Math.floor(got / (8 * MIB)) > measured) highest = Math.max(highest, memoryOf(node));
  });
  // Nothing is read until everything that fits anywhere has been taken.
  reader.socket.pause();
  reader.socket.write(get('/down').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const sent = request({
    url: `http://127.0.0.1:${portOf(node)}/up`,
    method: 'PUT',
    body: Buffer.alloc(64 * MIB),
  });
  expect((await sent).text).toBe(String(64 * MIB));
  highest = Math.max(highest, memoryOf(node));
  reader.socket.resume();
  await reader.all;
  expect(got).toBeGreaterThan(MIBS * MIB);
  expect(highest - before).toBeLessThan(96 * MIB);
});

it('passes events on as they come, and tells the backend when the client leaves', async () => {
  let left: Promise<unknown> = Promise.resolve();
  const say: ((text: string) => void)[] = [];
  const backend = await startBackend((_, response) => {
    left = new Promise((resolve) => response.on('close', resolve));
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    say.push((text) => response.write(`data: ${text}\n\n`));
  });
  const node = await startBehind(backend.url);
  const client = talk(portOf(node), get('/events'));
  await client.until(/text\/event-stream[\s\S]*\r\n\r\n/);
  for (const word of ['one', 'two', 'three']) {
    say[0]?.(word);
    await client.until(new RegExp(`data: ${word}\n`));
  }
  client.socket.end();
  await left;
});

it('asks the backend whether it wants a body, and takes its no', async () => {
  const backend = await startBackend();
  backend.server.on('checkContinue', (incoming, response) => {
    if (incoming.url === '/no') {
      response.writeHead(413).end('too much');
      return;
    }
    response.writeContinue();
    incoming.resume().on('end', () => response.end('thanks'));
  });
  const port = portOf(await startBehind(backend.url));
  const head = (path: string) =>
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
  const welcome = talk(port, head('/yes'));
  await welcome.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
  welcome.socket.write('body');
  await welcome.until(/HTTP\/1\.1 200 OK[\s\S]*thanks/);
  const refused = await talk(port, head('/no')).all;
  expect(refused).toMatch(/^HTTP\/1\.1 413 /);
  expect(refused).not.toContain('100 Continue');
});

it('bounds bodies, and what is on its way', async () => {
  const backend = await startBackend((incoming) => void incoming.resume());
  const port = portOf(
    await startBehind(backend.url, { max_body: 1_000, max_in_flight: 1, idle_timeout: '300ms' }),
  );
  const url = `http://127.0.0.1:${port}/x`;
  expect((await request({ url, body: Buffer.alloc(1_001) })).status).toBe(413);
  const head = 'POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(await talk(port, `${head}3e9\r\n${'x'.repeat(1_001)}\r\n`).all).toMatch(/^HTTP\/1\.1 413 /);
  const silent = talk(port, `${head}1\r\nx\r\n`);
  expect(await silent.all, 'a client that says no more').toMatch(/^HTTP\/1\.1 408 /);
  const first = talk(port, get('/first'));
  await expect.poll(async () => (await request({ url })).status).toBe(503);
  first.socket.destroy();
});

it('answers 504 when a backend says nothing, and 502 when nobody is there', async () => {
  const silent = await startRawBackend(() => {});
  const late = await startBehind(silent.url, { response_timeout: '100ms' });
  expect((await request({ url: `http://127.0.0.1:${portOf(late)}/` })).status).toBe(504);
  const nobody = await startBehind(`http://127.0.0.1:${await freePort()}`);
  expect((await request({ url: `http://127.0.0.1:${portOf(nobody)}/`, body: 'x' })).status).toBe(502);
});

it('asks another backend when one cannot be reached, and nobody twice when it might have heard', async () => {
  const alive = await startBackend();
  const gone = `http://127.0.0.1:${await freePort()}`;
  const port = portOf(await startBehind([gone, alive.url]));
  for (let round = 0; round < 6; round++) {
    const answer = await request({ url: `http://127.0.0.1:${port}/${round}`, body: 'x' });
    expect(answer.text).toBe(`POST /${round} 1`);
  }
  const cutting = await startRawBackend((socket) => socket.destroy());
  const other = await startBackend();
  const both = portOf(await startBehind([cutting.url, other.url]));
  const statuses = [];
  for (let round = 0; round < 4; round++) {
    statuses.push((await request({ url: `http://127.0.0.1:${both}/`, body: 'x' })).status);
  }
  expect(statuses).toContain(502);
  expect(other.requests.items.length + statuses.filter((status) => status === 502).length).toBe(4);
});

it('repeats a GET whose idle connection had died, and no POST', async () => {
  let answers = 0;
  const backend = await startRawBackend((socket, said) => {
    // Every second request on a connection finds it dead.
    if ((socket as Socket & { used?: boolean }).used === true) {
      socket.destroy();
      return;
    }
    (socket as Socket & { used?: boolean }).used = true;
    answers++;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${said.slice(0, 3)}`);
  });
  const port = portOf(await startBehind(backend.url));
  const url = `http://127.0.0.1:${port}/`;
  expect((await request({ url })).text).toBe('GET');
  expect((await request({ url })).text).toBe('GET');
  expect(answers).toBe(2);
  expect((await request({ url })).text).toBe('GET');
  // Nobody knows whether it was heard.
  expect((await request({ url, body: '' })).status).toBe(502);
});

it('spares a backend that its health check finds ill', async () => {
  const ill = await startBackend((_, response) => void response.writeHead(500).end('ill'));
  const well = await startBackend();
  const health = { path: '/healthz', interval: '100ms', unhealthy_after: 1 };
  const node = await startBehind([ill.url, well.url], { health });
  await node.waitForLog(({ msg, state }) => msg === 'backend' && state === 'unhealthy');
  for (let round = 0; round < 4; round++) {
    expect((await request({ url: `http://127.0.0.1:${portOf(node)}/p` })).text).toBe('GET /p 0');
  }
});

async function startEcho(): Promise<{ readonly url: string; readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const backend = await startBackend();
  backend.server.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    if (incoming.url === '/no') {
      socket.end('HTTP/1.1 401 No\r\nContent-Length: 4\r\n\r\nnope');
      return;
    }
    const key = `${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    const chosen = incoming.headers['sec-websocket-protocol']?.split(',')[0];
    socket.write(
      'HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${chosen}\r\n\r\n`,
    );
    sockets.push(socket);
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  return { url: backend.url, sockets };
}

it('passes WebSockets of the application through, besides its own', async () => {
  const { url, sockets } = await startEcho();
  const application = await startApplication();
  const node = await startBehind(
    url,
    { websockets: 1 },
    { callback: { connect: application.callback.connect } },
  );
  const port = portOf(node);
  const own = await openWebSocket({ port, path: '/connect?key=ada' });
  const client = talk(
    port,
    handshakeText({ port, path: '/own', headers: ['Sec-WebSocket-Protocol', 'chat, x'] }),
  );
  await client.until(/^HTTP\/1\.1 101 [\s\S]*Sec-WebSocket-Protocol: chat\r\n/);
  const long = 'y'.repeat(3 * MIB);
  client.socket.write(`hello${long}`);
  await client.until(/hello/);
  await expect.poll(() => client.heard().endsWith(long), { timeout: 20_000 }).toBe(true);
  expect(await talk(port, handshakeText({ port, path: '/own' })).until(/\r\n\r\n/), 'one too many').toMatch(
    / 503 /,
  );
  // One side ends, the other may still speak, and then both are gone.
  client.socket.end('bye');
  await client.all;
  expect(client.heard().endsWith('bye')).toBe(true);
  expect(sockets).toHaveLength(1);
  await expect
    .poll(async () => talk(port, handshakeText({ port, path: '/no' })).until(/\r\n\r\n/))
    .toMatch(/^HTTP\/1\.1 401 /);
  own.ping('x');
  expect((await own.nextFrame()).payload.toString()).toBe('x');
});

it('ends WebSockets and requests on their way when the node stops', async () => {
  const { url } = await startEcho();
  const node = await startBehind(url, {}, { drain: { timeout: '2s' } });
  const port = portOf(node);
  const client = talk(port, handshakeText({ port, path: '/own' }));
  await client.until(/ 101 /);
  const stopped = node.stop();
  await client.all;
  expect((await stopped).code).toBe(0);
});

it('cuts a WebSocket that has been silent for too long', async () => {
  const { url } = await startEcho();
  const port = portOf(await startBehind(url, { websocket_idle_timeout: '200ms', idle_timeout: '200ms' }));
  const client = talk(port, handshakeText({ port, path: '/own' }));
  await client.until(/ 101 /);
  await client.all;
});
