/**
 * The lines of OWASP's WebSocket Security Cheat Sheet about what is said on a WebSocket and how long
 * it lives, each as a test.
 *
 * `docs/guides/security.md` lists them; a test compares both.
 */
import { readdirSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApplicationCalls } from '../conformance/application-calls.ts';
import {
  type Application,
  type NodeAddress,
  OPCODE,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const PAYLOADS = [
  '<script>alert(1)</script>',
  "'; DROP TABLE users; --",
  '$(reboot) `reboot` | reboot',
  '{"__proto__":{"admin":true}}',
  'X-Kuiperbelt-Session: other\r\n\r\nPOST /send HTTP/1.1',
  '\u001b[2J\u0000\u202e',
];

describe('messages', () => {
  let application: Application;
  let node: RunningNode;
  let port: number;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: application.callback,
        app: { listen: '127.0.0.1:0' },
        api: { listen: '127.0.0.1:0' },
        limits: { message: '64KiB' },
        log: { level: 'debug' },
      },
    });
    port = node.addresses.public.port;
  });

  beforeEach(() => {
    delete application.handlers.receive;
  });

  const open = (key: string) => openWebSocket({ port, path: `/connect?key=${key}` });
  const received = (session: string) =>
    application.waitForCall((call) => call.kind === 'receive' && call.session === session);
  const endOf = (session: string) =>
    application.waitForCall((call) => call.kind === 'close' && call.session === session);
  const figure = async (sample: string): Promise<number> => {
    const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    return Number(
      page
        .split('\n')
        .find((line) => line.startsWith(sample))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  };

  it('authorization: each message names the session that sent it, whatever the message says', async () => {
    const client = await open('alice');
    client.sendText('X-Kuiperbelt-Session: bob\r\n{"session":"bob"}');
    const call = await received('alice');
    expect(call.headerLines('X-Kuiperbelt-Session')).toEqual(['alice']);
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress);
    application.handlers.receive = async () => {
      await calls.close({ sessions: ['alice'], body: 'not allowed' });
      return undefined;
    };
    client.sendText('delete everything');
    expect((await client.frames.first(({ text }) => text === 'not allowed')).opcode).toBe(OPCODE.text);
    await client.frames.first(({ opcode }) => opcode === OPCODE.close);
  });

  it('input: what a client says is a body, byte for byte, and nowhere anything else', async () => {
    const client = await open('input');
    for (const payload of PAYLOADS) client.sendText(payload);
    await application.waitFor('receive', 1);
    const heard = await Promise.all(
      PAYLOADS.map((payload) =>
        application.waitForCall(({ kind, body }) => kind === 'receive' && String(body) === payload),
      ),
    );
    for (const call of heard) {
      expect(call.rawHeaders.join()).not.toMatch(/script|DROP|reboot|__proto__|other/);
      expect(call.header('Content-Type')).toBe('text/plain');
    }
    client.sendBinary(new Uint8Array([0xff, 0xd8, 0x00]));
    const binary = await application.waitForCall(
      ({ header }) => header('Content-Type') === 'application/octet-stream',
    );
    expect(binary.body).toEqual(Buffer.from([0xff, 0xd8, 0x00]));
  });

  it('input: text is UTF-8, or the connection ends', async () => {
    const client = await open('text');
    client.sendFrame({ opcode: OPCODE.text, payload: new Uint8Array([0xc3, 0x28]) });
    expect((await client.closed).code).toBe(1007);
  });

  it('inspection: a message is an ordinary request, which anything between can read', async () => {
    const client = await open('inspected');
    client.sendText('any firewall can read this');
    const call = await received('inspected');
    expect([call.method, call.httpVersion, String(call.body)]).toEqual([
      'POST',
      '1.1',
      'any firewall can read this',
    ]);
  });

  it('size: a message beyond limits.message ends the connection before it is held', async () => {
    const client = await open('large');
    client.sendText('x'.repeat(65_536));
    expect((await received('large')).body).toHaveLength(65_536);
    client.sendText('x'.repeat(65_537));
    expect((await client.closed).code).toBe(1009);
    expect((await endOf('large')).header('X-Arrokoth-Reason')).toBe('message_too_large');
  });

  it('events: violations are logged, counted and told to the application', async () => {
    const before = await figure('arrokoth_connection_ends_total{reason="protocol_error"');
    const client = await open('breaker');
    client.sendFrame({ opcode: 11 });
    expect((await client.closed).code).toBe(1002);
    const end = await endOf('breaker');
    expect(end.header('X-Arrokoth-Reason')).toBe('protocol_error');
    const line = await node.waitForLog(({ reason }) => reason === 'protocol_error');
    expect(line).toMatchObject({ level: 'info', connection: end.header('X-Arrokoth-Connection') });
    const connected = node.log.items.find(
      ({ msg, connection }) => msg === 'connected' && connection === line.connection,
    );
    expect(connected).toMatchObject({ client: '127.0.0.1' });
    expect(await figure('arrokoth_connection_ends_total{reason="protocol_error"')).toBe(before + 1);
  });

  it('secrets: no message, cookie, token or session key is logged, not even at level debug', async () => {
    const headers = ['Cookie', 'c=secret-cookie', 'Authorization', 'Bearer secret-bearer'];
    const client = await openWebSocket({ port, path: '/connect?key=secret-key&t=secret-query', headers });
    application.handlers.receive = () => ({ status: 500, body: 'secret-answer' });
    client.sendText('secret-message');
    await received('secret-key');
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress);
    await calls.send({
      sessions: ['secret-key'],
      body: 'secret-send',
      headers: ['Authorization', 'Bearer secret-call'],
    });
    client.sendFrame({ opcode: 11, payload: 'secret-frame' });
    await client.closed;
    await endOf('secret-key');
    await node.waitForLog(({ msg }) => msg.startsWith('the receive callback failed'));
    expect(JSON.stringify(node.log.items)).not.toMatch(/secret-/);
  });

  it('monitoring: what a log line holds cannot make itself another line or move a terminal', async () => {
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress);
    await calls.send({ sessions: ['nobody'], headers: ['X-Request-Id', 'r1"}\t\x9b2J\xe2'] });
    const { requestId } = await node.waitForLog((line) => String(line.requestId).startsWith('r1'));
    expect(requestId).toBe('r1"}\t\\u009b2Jâ');
  });
});

describe('lives', () => {
  it('idle: who says nothing is closed', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback, idle_timeout: '1s' } });
    const client = await openWebSocket({ port: node.addresses.public.port });
    const end = await client.frames.first(({ opcode }) => opcode === OPCODE.close);
    expect([end.closeCode, end.closeReason]).toEqual([1001, 'idle timeout']);
  });

  it('heartbeat: who has vanished without a word is found and given up', async () => {
    const application = await startApplication();
    const node = await startNode({
      config: { callback: application.callback, ping: { interval: '300ms', timeout: '300ms' } },
    });
    const { port } = node.addresses.public;
    const calls = new ApplicationCalls(node.addresses.public);
    const vanished = await Promise.all(
      Array.from({ length: 20 }, (_, n) => openWebSocket({ port, path: `/connect?key=${n}` })),
    );
    const before = openFiles(node);
    // Neither FIN nor reset: the other end of a cut line looks like this.
    for (const client of vanished) client.pause();
    const ends = await application.waitFor('close', vanished.length, 30_000);
    expect(new Set(ends.map((call) => call.header('X-Arrokoth-Reason')))).toEqual(new Set(['ping_timeout']));
    await calls.statsWhen((stats) => stats.connections === 0);
    // Their sockets are cut as well, although nobody ever answered the close frame.
    await expect
      .poll(() => openFiles(node), { timeout: 30_000 })
      .toBeLessThanOrEqual(before - vanished.length);
  });

  it('users: one connection each, when the session key is the user', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { workers: 2, callback: application.callback } });
    const open = () => openWebSocket({ port: node.addresses.public.port, path: '/connect?key=user-1' });
    const clients = [];
    for (let n = 0; n < 6; n++) clients.push(await open());
    for (const client of clients.slice(0, -1)) {
      expect((await client.frames.first(({ opcode }) => opcode === OPCODE.close)).closeCode).toBe(4409);
    }
    expect(clients.at(-1)?.frames.items).toEqual([]);
  });
});

/** Descriptors that the workers of a node have open. */
function openFiles(node: RunningNode): number {
  return node.workers().reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
}
