/** What is too much: bodies, heads, targets, connections, time; and clients that read too slowly. */
import { connect as connectSocket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  handshake,
  handshakeText,
  OPCODE,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, JSON_TYPE } from './application-calls.ts';

describe('limits', () => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let port: number;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: application.callback,
        limits: { body: '64KiB', header: '8KiB', targets: 5, handshake_timeout: '500ms', connections: 4 },
      },
    });
    calls = new ApplicationCalls(node.addresses.public);
    port = node.addresses.public.port;
  });

  it('refuse a body that is too large with 413, announced or not, and nobody receives it', async () => {
    const client = await openWebSocket({ port, path: '/connect?key=k' });
    const body = Buffer.alloc(64 * 1_024 + 1, 'x');
    for (const headers of [[], ['Transfer-Encoding', 'chunked']]) {
      const answer = await calls.send({ sessions: ['k'], body, headers });
      expect([answer.status, answer.type]).toEqual([413, JSON_TYPE]);
      expect(JSON.parse(answer.body)).toMatchObject({ result: 'NG' });
    }
    expect(await calls.send({ sessions: ['k'], body: body.subarray(1) })).toEqual(ALL_WELL);
    expect((await client.nextFrame()).payload).toHaveLength(64 * 1_024);
  });

  it('refuse too many targets with 400', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
    const answer = await calls.send({ sessions: keys(4), channels: ['a', 'b'] });
    expect([answer.status, answer.type]).toEqual([400, JSON_TYPE]);
    expect((await calls.send({ sessions: keys(4), channels: ['a'] })).status).toBe(200);
  });

  it('refuse a head that is too large with 431', async () => {
    const asked = application.calls('connect').length;
    const answer = await handshake({ port, headers: ['X-Long', 'x'.repeat(9_000)] }).answered;
    expect(answer.status).toBe(431);
    expect(application.calls('connect')).toHaveLength(asked);
    const fits = await openWebSocket({ port, headers: ['X-Long', 'x'.repeat(7_000)] });
    fits.reset();
  });

  it('cut who takes too long to ask', async () => {
    const words = await new Promise<string>((resolve, reject) => {
      const socket = connectSocket({ host: '127.0.0.1', port });
      cleanUpAfterwards(() => void socket.destroy());
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
      socket.write(handshakeText({ port }).slice(0, -2));
    });
    expect(words).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it('refuse more connections than allowed with 503, and admit again when one has left', async () => {
    await calls.statsWhen((stats) => stats.connections === 0);
    const clients: RawClient[] = [];
    for (let n = 0; n < 4; n++) clients.push(await openWebSocket({ port, path: `/connect?key=full${n}` }));
    const asked = application.calls('connect').length;
    const answer = await handshake({ port, path: '/connect?key=one-too-many' }).answered;
    expect([answer.status, answer.header('Retry-After')]).toEqual([503, '1']);
    expect(application.calls('connect')).toHaveLength(asked);
    clients[0]?.reset();
    await calls.statsWhen((stats) => stats.connections === 3);
    await openWebSocket({ port, path: '/connect?key=fits-again' });
  });
});

/** More than the kernel's buffers of one loopback connection take. */
const BURST = 40;
const MESSAGE_BYTES = 1_000_000;

describe('slow clients', () => {
  /** Sends numbered messages to one client that does not read, and one that does. */
  async function burst(slow_client: Record<string, unknown>) {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback, slow_client } });
    const calls = new ApplicationCalls(node.addresses.public);
    const { port } = node.addresses.public;
    const stalled = await openWebSocket({ port, path: '/connect?key=stalled' });
    const quick = await openWebSocket({ port, path: '/connect?key=quick' });
    stalled.pause();
    const answers = [];
    for (let n = 0; n < BURST; n++) {
      const body = Buffer.alloc(MESSAGE_BYTES, ' ');
      body.write(String(n));
      // A stalled client delays nobody: each answer comes although it takes nothing.
      answers.push(await calls.send({ sessions: ['stalled', 'quick'], body }));
    }
    const frames = await quick.frames.atLeast(BURST);
    expect(frames.map(({ text }) => Number(text))).toEqual(Array.from({ length: BURST }, (_, n) => n));
    const errors = answers.map(
      ({ body }) => (JSON.parse(body) as { errors?: { error: string; session: string }[] }).errors ?? [],
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(errors.flat().every(({ session }) => session === 'stalled')).toBe(true);
    return { application, calls, stalled, errors: errors.map(([error]) => error?.error ?? '') };
  }

  const numbersOf = (client: RawClient) =>
    client.frames.items.filter(({ opcode }) => opcode === OPCODE.text).map(({ text }) => Number(text));
  const bounds = { queue_messages: 4, queue_bytes: '64MiB' };

  it('are closed with 1013 by default, and the application is told', async () => {
    const { application, stalled, errors } = await burst(bounds);
    const full = errors.indexOf('kuiperbelt: session is closed');
    expect(full).toBeGreaterThan(4);
    expect(errors.slice(0, full).every((error) => error === '')).toBe(true);
    expect(errors.slice(full + 1).every((error) => error === 'kuiperbelt: session is not found')).toBe(true);
    const end = await application.waitForCall(
      ({ kind, session }) => kind === 'close' && session === 'stalled',
    );
    expect([end.header('X-Arrokoth-Reason'), end.header('X-Arrokoth-Close-Code')]).toEqual(['slow', '1013']);
    stalled.reset();
  });

  it('lose the newest messages with drop_newest, and whoever sends is told', async () => {
    const { stalled, calls, errors } = await burst({ ...bounds, policy: 'drop_newest' });
    const full = errors.indexOf('context deadline exceeded');
    expect(errors.slice(full).every((error) => error === 'context deadline exceeded')).toBe(true);
    stalled.resume();
    await stalled.frames.atLeast(full);
    expect(numbersOf(stalled)).toEqual(Array.from({ length: full }, (_, n) => n));
    expect(await calls.send({ sessions: ['stalled'], body: '99' })).toEqual(ALL_WELL);
    await stalled.frames.first(({ text }) => text === '99');
  });

  it('lose the oldest waiting messages with drop_oldest, silently', async () => {
    const { stalled, errors } = await burst({ ...bounds, policy: 'drop_oldest' });
    expect(errors.every((error) => error === '')).toBe(true);
    stalled.resume();
    await stalled.frames.first(({ text }) => Number(text) === BURST - 1);
    const numbers = numbersOf(stalled);
    expect(numbers.slice(-3)).toEqual([BURST - 3, BURST - 2, BURST - 1]);
    expect(numbers.length).toBeLessThan(BURST);
    expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
  });
});
