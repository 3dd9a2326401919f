/**
 * The HAProxy examples of `docs/guides/behind-a-proxy.md`, run as printed, with our ports filled in.
 *
 * Clients come from 127.0.0.2, HAProxy dials from 127.0.0.1, so that one can be told from the other.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  freePort,
  handshake,
  openWebSocket,
  ROOT,
  request,
  requireProgram,
  startApplication,
  startNode,
  temporaryFolder,
} from '../support/index.ts';

const CLIENT = '127.0.0.2';
const haproxy = requireProgram('haproxy');

/** The example of the guide in that mode. */
function example(mode: 'tcp' | 'http'): string {
  const guide = readFileSync(join(ROOT, 'docs/guides/behind-a-proxy.md'), 'utf8');
  const blocks = [...guide.matchAll(/```haproxy\n(.*?)```/gs)].map(([, block = '']) => block);
  const [block = '', ...more] = blocks.filter((text) => text.includes(`mode ${mode}\n`));
  expect(more).toEqual([]);
  return block;
}

/** Resolves when somebody listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Runs HAProxy before the node; answers with its port. */
async function startHaproxy(text: string, nodePort: number): Promise<number> {
  const own = await freePort();
  const filled = text
    .replace(/bind :\d+\n/, `bind 127.0.0.1:${own}\n`)
    .replace('10.0.0.5:9180', `127.0.0.1:${nodePort}`);
  expect(filled).toContain(`bind 127.0.0.1:${own}`);
  expect(filled).toContain(`server node-01 127.0.0.1:${nodePort}`);
  const file = join(temporaryFolder(), 'haproxy.cfg');
  writeFileSync(file, filled);
  const child = spawn(haproxy as string, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  cleanUpAfterwards(() => {
    child.kill('SIGKILL');
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words += chunk;
  });
  await expect.poll(() => listens(own), { timeout: 15_000 }).toBe(true);
  // It says so when an example is not sound, and runs nevertheless.
  expect(words).not.toMatch(/ALERT|WARNING/);
  return own;
}

async function startBoth(config: Readonly<Record<string, unknown>>) {
  const application = await startApplication();
  const { connect, receive } = application.callback;
  const node = await startNode({
    config: {
      callback: { connect, receive },
      trusted_proxies: ['127.0.0.1'],
      app: { listen: '127.0.0.1:0' },
      ...config,
    },
  });
  return { application, port: node.addresses.public.port, app: node.addresses.app?.url ?? '' };
}

/** A whole conversation through the proxy. */
async function converse(own: number, { application, app }: { application: Application; app: string }) {
  const client = await openWebSocket({
    port: own,
    path: '/connect?key=ada',
    localAddress: CLIENT,
    headers: ['Host', 'chat.example', 'X-Forwarded-For', '6.6.6.6'],
  });
  client.sendText('up');
  expect((await application.waitFor('receive', 1))[0]?.body.toString()).toBe('up');
  await request({ url: `${app}/send`, headers: ['X-Kuiperbelt-Session', 'ada'], body: 'down' });
  expect(await client.nextText()).toBe('down');
  client.sendClose(1000);
  expect((await client.closed).code).toBe(1000);
}

describe.skipIf(haproxy === null)("the guide's HAProxy", () => {
  it.each(['send-proxy-v2', 'send-proxy'])('passes TCP on behind a header of its own (%s)', async (word) => {
    const node = await startBoth({ proxy_protocol: 'required' });
    const own = await startHaproxy(example('tcp').replace('send-proxy-v2', word), node.port);
    await converse(own, node);
    const [call] = await node.application.waitFor('connect', 1);
    // The header names the client, and the client's own word about itself does not count.
    expect(call?.headerLines('X-Forwarded-For')).toEqual([CLIENT]);
    expect((await handshake({ port: node.port }).answered.catch(() => null))?.status ?? null).toBeNull();
  });

  it('writes headers in HTTP mode, and lets nobody through to /send', async () => {
    const node = await startBoth({});
    const own = await startHaproxy(example('http'), node.port);
    await converse(own, node);
    const [call] = await node.application.waitFor('connect', 1);
    expect(call?.headerLines('X-Forwarded-For')).toEqual([`${CLIENT}, 127.0.0.1`]);
    expect(call?.headerLines('X-Forwarded-Proto')).toEqual(['http']);
    expect(call?.headerLines('X-Forwarded-Host')).toEqual(['chat.example']);
    const outside = await request({ url: `http://127.0.0.1:${own}/send`, method: 'POST', body: 'x' });
    expect(outside.status).toBe(403);
  });
});
