/**
 * Servers and clients whose rules are adjusted while they work: who keeps the old ones, and who has
 * the new ones at once.
 */
import { describe, expect, test } from 'vitest';
import { handshake, keepAliveAgent, openWebSocket, request } from '../../test/support/index.ts';
import { answerOf, failureOf, makeClient, serve, textOf } from './testdata/called-application.ts';
import { DEFAULT_OPTIONS, startServer } from './testdata/test-server.ts';

describe('a client of callbacks', () => {
  test('has `callback.max_in_flight` calls on their way, and starts more when it grows', async () => {
    const held: (() => void)[] = [];
    const url = await serve((_request, response) => held.push(() => response.end('late')));
    const client = makeClient({ maxInFlight: 1 });
    const answers = [1, 2, 3].map(() => answerOf(client, { url }));
    await expect.poll(() => held.length).toBe(1);
    client.adjust({ maxInFlight: 3, maxQueued: 8, allowPrivateRedirects: true });
    await expect.poll(() => held.length).toBe(3);
    // Fewer than are on their way: those go on, and nobody new begins.
    client.adjust({ maxInFlight: 1, maxQueued: 0, allowPrivateRedirects: true });
    expect(await failureOf(client, { url })).toBe('busy');
    for (const answer of held) answer();
    expect((await Promise.all(answers)).map(textOf)).toEqual(['late', 'late', 'late']);
    expect(client.inFlight).toBe(0);
  });

  test('lets `callback.max_queued` calls wait; those that wait already go on', async () => {
    const held: (() => void)[] = [];
    const url = await serve((_request, response) => held.push(() => response.end('late')));
    const client = makeClient({ maxInFlight: 1, maxQueued: 2 });
    const answers = [1, 2, 3].map(() => answerOf(client, { url }));
    client.adjust({ maxInFlight: 1, maxQueued: 0, allowPrivateRedirects: true });
    expect(await failureOf(client, { url })).toBe('busy');
    for (let answered = 0; answered < 3; answered++) {
      await expect.poll(() => held.length).toBe(answered + 1);
      held[answered]?.();
    }
    expect(await Promise.all(answers)).toHaveLength(3);
  });

  test('signs what it sends from then on', async () => {
    const seen: unknown[] = [];
    const url = await serve(({ headers }, response) => {
      seen.push(headers['x-signature']);
      response.end();
    });
    const client = makeClient();
    const sign = (value: string) => ({ ...RULES, sign: () => ['X-Signature', value] });
    await answerOf(client, { url });
    client.adjust(sign('old'));
    await answerOf(client, { url });
    client.adjust(sign('new'));
    await answerOf(client, { url });
    client.adjust({ ...RULES, sign: null });
    await answerOf(client, { url });
    expect(seen).toEqual([undefined, 'old', 'new', undefined]);
  });
});

describe('a server', () => {
  test('holds new connections to new bounds, and those that are open to what they came with', async () => {
    const { server, port, messages } = await startServer();
    const early = await openWebSocket({ port });
    early.sendText('x'.repeat(100));
    await messages.atLeast(1);
    const limits = { ...DEFAULT_OPTIONS.limits, messageBytesMax: 10 };
    server.adjust({ ...DEFAULT_OPTIONS, limits });
    const late = await openWebSocket({ port });
    late.sendText('x'.repeat(100));
    expect((await late.closed).code).toBe(1009);
    early.sendText('y'.repeat(100));
    await messages.first(({ text }) => text.startsWith('y'));
  });

  test('drops no line of a head that a connection of before may send', async () => {
    const headers = Array.from({ length: 200 }, (_, number) => [`X-${number}`, 'x']).flat();
    const limits = { ...DEFAULT_OPTIONS.limits, headerLinesMax: 300 };
    const { server, port } = await startServer({ limits });
    const url = `http://127.0.0.1:${port}/`;
    const agent = keepAliveAgent();
    expect((await request({ url, headers, agent })).status).toBe(404);
    server.adjust({ ...DEFAULT_OPTIONS, limits: { ...limits, headerLinesMax: 50 } });
    expect((await request({ url, headers, agent })).status).toBe(404);
    expect((await request({ url, headers })).status).toBe(431);
    // The other way round a line would be lost without a word, so that the old bound has to hold.
    const small = keepAliveAgent();
    expect((await request({ url, agent: small })).status).toBe(404);
    server.adjust({ ...DEFAULT_OPTIONS, limits });
    expect((await request({ url, headers, agent: small })).status).toBe(431);
    expect((await request({ url, headers })).status).toBe(404);
    agent.destroy();
    small.destroy();
  });

  test('gives heads that are being read the new time', async () => {
    const { server, port } = await startServer();
    const client = handshake({ port, rawRequest: 'GET / HTTP/1.1\r\nHost: a\r\n' });
    await expect.poll(() => client.socket.connecting).toBe(false);
    server.adjust({ ...DEFAULT_OPTIONS, limits: { ...DEFAULT_OPTIONS.limits, handshakeTimeoutMs: 50 } });
    expect((await client.answered).status).toBe(408);
  });
});

const RULES = { maxInFlight: 8, maxQueued: 8, allowPrivateRedirects: true } as const;
