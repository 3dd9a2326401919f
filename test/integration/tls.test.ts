/**
 * TLS at the listeners of a real node: names, versions, protocols, hostile bytes, and what the
 * application hears.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type PeerCertificate } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificatePair,
  cleanUpAfterwards,
  handshake,
  openWebSocket,
  ROOT,
  request,
  requireProgram,
  startApplication,
  startNode,
  TestAuthority,
  temporaryFolder,
} from '../support/index.ts';

let authority: TestAuthority;
let chat: CertificatePair;
let other: CertificatePair;
let trust: ConnectionOptions;

beforeAll(() => {
  authority = new TestAuthority();
  chat = authority.issue({ name: 'chat', names: ['DNS:chat.example', 'DNS:*.chat.example'] });
  other = authority.issue({ name: 'other', names: ['DNS:other.example'], passphrase: 'tulip' });
  trust = { ca: authority.root.certPem, servername: 'chat.example' };
});

const files = ({ cert, key }: CertificatePair, passphrase?: string) => ({ cert, key, passphrase });

async function startBoth(config: Readonly<Record<string, unknown>> = {}) {
  const application = await startApplication();
  const { tls, ...rest } = config;
  const certificates = [files(chat), files(other, 'tulip')];
  const node = await startNode({
    config: { callback: application.callback, tls: { certificates, ...(tls as object) }, ...rest },
  });
  return { application, node, port: node.addresses.public.port };
}

/** Shakes hands and says what came of it: the common name that was shown, or the error. */
function shake(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.root.certPem, ...options });
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  return new Promise((resolve) => {
    socket.on('secureConnect', () =>
      resolve(String((socket.getPeerCertificate() as PeerCertificate).subject.CN)),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Sends bytes over TCP and resolves with all that comes back. */
async function sendPlain(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

describe('a node with certificates', () => {
  it('holds WebSockets over TLS, and tells the application so', async () => {
    const { application, port } = await startBoth();
    const headers = ['X-Forwarded-Proto', 'http', 'X-Arrokoth-Client-Cert-Verified', 'yes'];
    const client = await openWebSocket({ port, tls: trust, path: '/connect?key=ada', headers });
    const [call] = await application.waitFor('connect', 1);
    expect(call?.headerLines('X-Forwarded-Proto')).toEqual(['https']);
    expect(call?.headerLines('X-Forwarded-For')).toEqual(['127.0.0.1']);
    expect(call?.rawHeaders.join()).not.toMatch(/client-cert/i);
    client.sendText('up');
    expect((await application.waitFor('receive', 1))[0]?.body.toString()).toBe('up');
    const url = `https://127.0.0.1:${port}/send`;
    await request({ url, tls: trust, headers: ['X-Kuiperbelt-Session', 'ada'], body: 'down' });
    expect(await client.nextText()).toBe('down');
    const large = 'x'.repeat(300_000);
    await request({ url, tls: trust, headers: ['X-Kuiperbelt-Session', 'ada'], body: large });
    expect(await client.nextText()).toBe(large);
    client.sendClose(1000, 'bye');
    const closed = await client.closed;
    expect(closed).toMatchObject({ code: 1000, orderly: true });
    expect((await application.waitFor('close', 1))[0]?.headerLines('X-Arrokoth-Reason')).toEqual([
      'client_close',
    ]);
  });

  it('notices a client that ends the stream without a close frame', async () => {
    const { application, port } = await startBoth();
    const client = await openWebSocket({ port, tls: trust });
    client.end();
    await client.closed;
    expect((await application.waitFor('close', 1))[0]?.headerLines('X-Arrokoth-Reason')).toEqual([
      'client_gone',
    ]);
  });

  it('shows the certificate of the name that is asked for, and the first one otherwise', async () => {
    const { port } = await startBoth();
    const shown = (servername: string) => shake(port, { servername, checkServerIdentity: () => undefined });
    expect(await shown('chat.example')).toBe('chat.example');
    expect(await shown('EU.Chat.Example')).toBe('chat.example');
    expect(await shown('other.example')).toBe('other.example');
    expect(await shown('stranger.example')).toBe('chat.example');
    expect(await shown('')).toBe('chat.example');
  });

  it('refuses unknown names where it is told to', async () => {
    const { port } = await startBoth({ tls: { unknown_name: 'refuse' } });
    const refused = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';
    for (const servername of ['stranger.example', 'a.b.chat.example', '']) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        expect(await shake(port, { servername, maxVersion }), servername + maxVersion).toBe(refused);
      }
    }
    expect(await shake(port, { servername: 'other.example' })).toBe('other.example');
  });

  it('speaks TLS 1.2 and 1.3, and nothing older or what is configured', async () => {
    const loose = { ...trust, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const both = await startBoth();
    expect(await shake(both.port, { ...loose, maxVersion: 'TLSv1.2' })).toBe('chat.example');
    expect(await shake(both.port, { ...loose, maxVersion: 'TLSv1.3' })).toBe('chat.example');
    const tooOld = 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION';
    expect(await shake(both.port, { ...loose, maxVersion: 'TLSv1.1' })).toBe(tooOld);
    const newest = await startBoth({ tls: { min_version: '1.3' } });
    expect(await shake(newest.port, { ...loose, maxVersion: 'TLSv1.2' })).toBe(tooOld);
  });

  it('speaks HTTP/1.1 only, and says so to whoever speaks nothing but HTTP/2', async () => {
    const { port } = await startBoth();
    expect(await shake(port, { ...trust, ALPNProtocols: ['h2', 'http/1.1'] })).toBe('chat.example');
    expect(await shake(port, { ...trust, ALPNProtocols: ['h2'] })).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    );
  });

  it('reads the PROXY header before TLS', async () => {
    const { application, port } = await startBoth({
      proxy_protocol: 'required',
      trusted_proxies: ['127.0.0.1'],
    });
    const preamble = 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n';
    await openWebSocket({ port, tls: trust, preamble });
    const [call] = await application.waitFor('connect', 1);
    expect(call?.headerLines('X-Forwarded-For')).toEqual(['203.0.113.7']);
    expect(call?.headerLines('X-Forwarded-Proto')).toEqual(['https']);
    await expect(handshake({ port, tls: trust }).answered).rejects.toThrow();
  });

  it('compares the scheme of a page, too', async () => {
    const { port } = await startBoth({ origin_policy: 'same_origin' });
    const ask = (scheme: string) => {
      const headers = ['Host', `chat.example:${port}`, 'Origin', `${scheme}://chat.example:${port}`];
      return handshake({ port, tls: trust, without: ['Host'], headers }).answered;
    };
    expect((await ask('https')).status).toBe(101);
    expect((await ask('http')).status).toBe(403);
  });

  it('shares its certificates with the listeners of the application and of operators', async () => {
    const listener = { listen: '127.0.0.1:0', tls: true };
    const { node } = await startBoth({ app: listener, api: listener });
    const on = (name: 'app' | 'api', path: string, protocol = 'https') =>
      request({ url: `${protocol}://127.0.0.1:${node.addresses[name]?.port}${path}`, tls: trust });
    expect((await on('app', '/ping')).status).toBe(200);
    expect((await on('api', '/readyz')).status).toBe(200);
    expect((await on('app', '/ping', 'http')).status).toBe(400);
    expect(node.stdout()).toMatch(/app +https:/);
    const page = (await on('api', '/metrics')).text;
    expect(page).toMatch(/arrokoth_tls_handshakes_total\{resumed="no",worker="api\/0"\} [1-9]/);
    expect(page).toMatch(/failures_total\{cause="plain_http",worker="gateway\/0"\} 1$/m);
  });
});

describe('hostile bytes', () => {
  it('are cut or answered in plain words, and counted', async () => {
    const { node, port } = await startBoth({ api: { listen: '127.0.0.1:0' } });
    const witness = await openWebSocket({ port, tls: trust, path: '/connect?key=witness' });
    const answer = await sendPlain(port, 'GET /connect HTTP/1.1\r\nHost: chat.example\r\n\r\n');
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n(?:.*\r\n)+\r\nThis port speaks TLS: use https:\/\/ or wss:/,
    );
    expect(await sendPlain(port, 'SSH-2.0-OpenSSH_9.2\r\n')).not.toContain('HTTP');
    expect(await sendPlain(port, Buffer.alloc(70_000, 0xff))).not.toContain('HTTP');
    // A record of a handshake that claims a message of 16 MiB.
    expect(await sendPlain(port, Buffer.from('1603010004' + '01ffffff', 'hex'))).not.toContain('HTTP');
    // Encrypted bytes before any key is agreed on.
    expect(
      await sendPlain(port, Buffer.concat([Buffer.from('1703030010', 'hex'), Buffer.alloc(16)])),
    ).toBeDefined();
    await request({
      url: `https://127.0.0.1:${port}/send`,
      tls: trust,
      headers: ['X-Kuiperbelt-Session', 'witness'],
      body: 'still here',
    });
    expect(await witness.nextText()).toBe('still here');
    const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    expect(page).toMatch(
      /arrokoth_tls_handshake_failures_total\{cause="plain_http",worker="gateway\/0"\} 1$/m,
    );
    expect(page).toMatch(
      /arrokoth_tls_handshake_failures_total\{cause="not_tls",worker="gateway\/0"\} [1-9]/,
    );
    expect(page).toContain('arrokoth_tls_handshakes_in_progress{worker="gateway/0"} 0\n');
  });

  it('bring no second handshake within a connection', async () => {
    const { node, port } = await startBoth({ api: { listen: '127.0.0.1:0' } });
    const openssl = requireProgram('openssl') ?? 'openssl';
    const words = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'chat.example', '-tls1_2'];
    const client = spawn(openssl, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    cleanUpAfterwards(() => {
      client.kill();
    });
    let said = '';
    client.stdout.on('data', (chunk) => {
      const before = said.includes('Verify return code');
      said += chunk;
      // A line of one R asks openssl to begin anew.
      if (!before && said.includes('Verify return code')) client.stdin.write('R\n');
    });
    await once(client, 'close');
    const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    expect(page).toMatch(/failures_total\{cause="renegotiation",worker="gateway\/0"\} 1$/m);
  });
});

describe('files that cannot be used', () => {
  it('keep a node from starting, and `config check` says what is wrong with which', () => {
    const folder = temporaryFolder();
    const config = join(folder, 'config.yml');
    const open = join(folder, 'open.key');
    writeFileSync(open, chat.keyPem);
    chmodSync(open, 0o644);
    const check = (tls: object, ...words: string[]) => {
      writeFileSync(config, JSON.stringify({ host: '127.0.0.1', port: 0, tls, node: { data_dir: folder } }));
      const program = join(ROOT, 'dist/main/arrokoth.js');
      const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...words], {
        encoding: 'utf8',
      });
      return { status, stderr, stdout };
    };
    const broken = {
      certificates: [
        { cert: chat.cert, key: other.key, passphrase: 'tulip' },
        { cert: '/no', key: open },
      ],
    };
    const checked = check(broken, 'config', 'check', config);
    expect(checked.status).toBe(1);
    expect(checked.stderr).toMatch(/tls\.certificates\.0\.key .*other\.key: the key does not belong to/);
    expect(checked.stderr).toMatch(/tls\.certificates\.1\.cert \/no: there is no such file/);
    expect(checked.stderr).toMatch(
      /warning: tls\.certificates\.1\.key .*open\.key: every user of this host can read/,
    );
    expect(checked.stderr).not.toMatch(/tulip|BEGIN/);
    const started = check(broken, 'start', '--config', config);
    expect(started.status).toBe(1);
    expect(started.stderr).toMatch(
      /TLS_UNUSABLE: .*does not belong to .*; tls\.certificates\.1\.cert \/no: there is/,
    );
    const good = check({ certificates: [files(chat)] }, 'config', 'check', config);
    expect(good).toMatchObject({ status: 0, stderr: expect.not.stringContaining('tls') });
    expect(good.stdout).toMatch(/public .*\(over TLS\)/);
  });
});
