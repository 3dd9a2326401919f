/**
 * Who a client is when a proxy stands in front: the guide's nginx, strangers who lie, and headers
 * that pass untouched until somebody asks for more.
 *
 * Clients come from 127.0.0.2, the proxy from 127.0.0.1, so that one can be trusted and the other not.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import {
  type Application,
  type Callback,
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
const SPOOFED = [
  ...['X-Forwarded-For', '10.9.9.9', 'X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'bank.example'],
  ...['Forwarded', 'for=10.9.9.9', 'X-Real-IP', '10.9.9.9', 'X_Forwarded_For', '10.9.9.9'],
];

/** What a callback says about proxies, in order. */
function told({ rawHeaders }: Callback): string[] {
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)] as string;
    return /^(x[-_]forwarded[-_]|forwarded$|x-real-ip$)/i.test(name);
  });
}

async function startBoth(config: Readonly<Record<string, unknown>>) {
  const application = await startApplication();
  const { callback } = application;
  const node = await startNode({ config: { callback: { connect: callback.connect }, ...config } });
  return { application, node, port: node.addresses.public.port };
}

async function connected(application: Application): Promise<string[]> {
  const [call] = await application.waitFor('connect', 1);
  return told(call as Callback);
}

describe('without trusted_proxies', () => {
  it('passes on what clients say, as kuiperbelt does', async () => {
    const { application, port } = await startBoth({});
    await openWebSocket({ port, localAddress: CLIENT, headers: SPOOFED });
    expect(await connected(application)).toEqual(SPOOFED);
  });
});

describe('with trusted_proxies', () => {
  it.each([[[]], [['127.0.0.1', '10.0.0.0/8', 'unix']]])('believes no stranger (%j)', async (trusted) => {
    const { application, port } = await startBoth({ trusted_proxies: trusted });
    await openWebSocket({ port, localAddress: CLIENT, headers: [...SPOOFED, 'Host', 'chat.example'] });
    expect(await connected(application)).toEqual([
      ...['X-Forwarded-For', CLIENT, 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'chat.example'],
    ]);
  });

  it('believes a proxy hop by hop, and leaves the last word to proxy_set_header', async () => {
    const { application, port } = await startBoth({
      trusted_proxies: ['127.0.0.1', '10.0.0.0/8'],
      proxy_set_header: { 'X-Forwarded-Proto': 'https' },
    });
    const headers = ['X-Forwarded-For', '6.6.6.6, 203.0.113.7', 'X-Forwarded-For', '10.1.1.1'];
    await openWebSocket({ port, headers: [...headers, 'X-Real-IP', '6.6.6.6'] });
    expect(await connected(application)).toEqual([
      ...['X-Forwarded-For', '203.0.113.7, 10.1.1.1, 127.0.0.1'],
      ...['X-Forwarded-Host', `127.0.0.1:${port}`, 'X-Forwarded-Proto', 'https'],
    ]);
  });

  it('believes a proxy at a unix socket', async () => {
    const sock = join(temporaryFolder(), 'public.sock');
    const application = await startApplication();
    const { connect } = application.callback;
    await startNode({ config: { sock, callback: { connect }, trusted_proxies: ['unix'] } });
    await openWebSocket({ socketPath: sock, headers: ['X-Forwarded-For', '6.6.6.6, 203.0.113.7'] });
    expect((await connected(application))[1]).toBe('203.0.113.7, unknown');
  });

  it('compares origins with the host that the client asked the proxy for', async () => {
    const { port } = await startBoth({ trusted_proxies: ['127.0.0.1'], origin_policy: 'same_origin' });
    const headers = ['Origin', 'https://chat.example', 'X-Forwarded-Host', 'chat.example'];
    await openWebSocket({ port, headers });
    expect((await handshake({ port, headers, localAddress: CLIENT }).answered).status).toBe(403);
    const plain = (await request({ url: `http://127.0.0.1:${port}/connect`, headers })).status;
    expect(plain, 'the origin is right, the upgrade is missing').toBe(400);
  });

  it('names the client in the log of a connect', async () => {
    const { application, node, port } = await startBoth({
      trusted_proxies: ['127.0.0.1'],
      log: { level: 'debug' },
    });
    const headers = ['X-Forwarded-For', '203.0.113.7'];
    await openWebSocket({ port, headers });
    expect(await node.waitForLog(({ msg }) => msg === 'connected')).toMatchObject({ client: '203.0.113.7' });
    application.handlers.connect = () => ({ status: 403 });
    await handshake({ port, headers: ['X-Forwarded-For', '203.0.113.8'] }).answered;
    expect(await node.waitForLog(({ status }) => status === 403)).toMatchObject({ client: '203.0.113.8' });
  });
});

const nginx = requireProgram('nginx');

/** The guide's file, with our ports, in the frame that a package puts around it. */
function nginxFiles(folder: string, ports: { readonly own: number; readonly node: number }): string {
  const guide = readFileSync(join(ROOT, 'docs/guides/behind-a-proxy.md'), 'utf8');
  const block = /```nginx\n(.*?)```/s.exec(guide)?.[1] ?? '';
  expect(block).toContain('listen 80;');
  expect(block).toContain('proxy_pass http://127.0.0.1:9180;');
  const server = block
    .replace('listen 80;', `listen 127.0.0.1:${ports.own};`)
    .replaceAll('127.0.0.1:9180', `127.0.0.1:${ports.node}`);
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(folder, name)};\n`,
  );
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;\nmaster_process off;\npid ${join(folder, 'pid')};\nerror_log stderr notice;\n` +
      `events {}\nhttp {\n  access_log off;\n${scratch.join('')}${server}}\n`,
  );
  return file;
}

async function startNginx(program: string, nodePort: number): Promise<number> {
  const folder = join(temporaryFolder(), 'nginx');
  mkdirSync(folder);
  const own = await freePort();
  const file = nginxFiles(folder, { own, node: nodePort });
  const child = spawn(program, ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  cleanUpAfterwards(() => {
    child.kill('SIGKILL');
  });
  await new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: child.stderr });
    const words: string[] = [];
    lines.on('line', (line) => {
      words.push(line);
      // By then it listens: sockets are opened before this is said.
      if (line.includes('using the "epoll" event method')) resolve();
    });
    child.on('close', () => reject(new Error(`nginx ended: ${words.join('\n')}`)));
  });
  return own;
}

describe.skipIf(nginx === null)("the guide's nginx", () => {
  it('shows the application who the client is, and carries messages both ways', async () => {
    const { application, node, port } = await startBoth({ trusted_proxies: ['127.0.0.1'] });
    const own = await startNginx(nginx as string, port);
    const headers = [...SPOOFED.slice(0, 10), 'Host', 'chat.example', 'Origin', 'http://chat.example'];
    const client = await openWebSocket({
      port: own,
      path: '/connect?key=ada',
      localAddress: CLIENT,
      headers,
    });
    expect(await connected(application)).toEqual([
      ...['X-Forwarded-For', `${CLIENT}, 127.0.0.1`, 'X-Forwarded-Proto', 'http'],
      ...['X-Forwarded-Host', 'chat.example'],
    ]);
    const sent = await request({
      url: `${node.addresses.public.url}/send`,
      method: 'POST',
      headers: ['X-Kuiperbelt-Session', 'ada'],
      body: 'hello through nginx',
    });
    expect(sent.status).toBe(200);
    expect(await client.nextText()).toBe('hello through nginx');
    client.sendClose(1000);
    expect((await client.closed).code).toBe(1000);
    const outside = await request({ url: `http://127.0.0.1:${own}/send`, method: 'POST', body: 'x' });
    expect(outside.status, 'nobody outside reaches /send').toBe(404);
  });
});
