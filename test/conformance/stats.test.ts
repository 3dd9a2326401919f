/** `/stats` and `/ping`: bytes that monitoring plugins have read for years (kuiperbelt 8). */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  handshake,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls } from './application-calls.ts';
import { ChosenWorkers } from './chosen-workers.ts';

describe.each([1, 2])('stats with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let chosen: ChosenWorkers;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { workers, callback: application.callback } });
    calls = new ApplicationCalls(node.addresses.public);
    chosen = await ChosenWorkers.of(node, workers);
    await useEveryCounter();
  });

  /** 6 attempts, 3 refused of which 1 counts not; 4 messages; 2 connections stay, one at each worker. */
  async function useEveryCounter(): Promise<void> {
    const { port } = node.addresses.public;
    const clients: RawClient[] = [];
    for (const place of [0, 1, 0]) {
      clients.push(await chosen.open(place, { path: `/connect?key=k${clients.length}` }));
    }
    for (const status of [403, 401, 500]) {
      application.handlers.connect = () => ({ status });
      expect((await handshake({ port }).answered).status).toBe(status);
    }
    const agent = await chosen.agent(1);
    await calls.send({ sessions: ['k0', 'k1', 'nope'], body: 'x', agent });
    await calls.send({ sessions: ['k1'], body: 'x', agent });
    await calls.close({ sessions: ['k2'], body: 'x', agent });
  }

  const EXPECTED = {
    connections: 2,
    total_connections: 6,
    total_messages: 4,
    connect_errors: 2,
    message_errors: 0,
    closing_connections: 0,
  };

  it('are the sums of the node, the same from every worker', async () => {
    for (const place of [0, 1]) {
      const agent = await chosen.agent(place);
      await calls.statsWhen((stats) => stats.total_messages === 4 && stats.connections === 2);
      const answer = await calls.call('/stats', { method: 'GET', agent });
      expect([answer.status, answer.header('Content-Type')]).toEqual([200, 'application/json']);
      expect(answer.text).toBe(`${JSON.stringify(EXPECTED)}\n`);
    }
  });

  it.each(['tsv', 'txt', 'text'])('are lines with tabs for format=%s', async (format) => {
    const beforeSeconds = Math.floor(Date.now() / 1_000);
    const answer = await calls.call(`/stats?a=b&format=${format}`, { method: 'GET' });
    const afterSeconds = Math.floor(Date.now() / 1_000);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, 'text/plain']);
    const seconds = /\t(\d+)\n$/.exec(answer.text)?.[1] as string;
    expect(Number(seconds)).toBeGreaterThanOrEqual(beforeSeconds);
    expect(Number(seconds)).toBeLessThanOrEqual(afterSeconds);
    expect(answer.text).toBe(
      `kuiperbelt.conn.current\t2\t${seconds}\nkuiperbelt.conn.total\t6\t${seconds}\n` +
        `kuiperbelt.conn.errors\t2\t${seconds}\nkuiperbelt.conn.closing\t0\t${seconds}\n` +
        `kuiperbelt.messages.total\t4\t${seconds}\nkuiperbelt.messages.errors\t0\t${seconds}\n`,
    );
  });

  it('read the format from a form too, and serve any method', async () => {
    const form = { type: 'application/x-www-form-urlencoded', body: 'format=tsv' };
    expect((await calls.call('/stats', form)).header('Content-Type')).toBe('text/plain');
    expect((await calls.call('/stats', { ...form, body: 'format=xml' })).header('Content-Type')).toBe(
      'application/json',
    );
    expect(
      (await calls.call('/stats', { type: 'text/plain', body: 'format=tsv' })).header('Content-Type'),
    ).toBe('application/json');
    for (const method of ['PUT', 'DELETE', 'OPTIONS']) {
      expect((await calls.call('/stats', { method })).json()).toEqual(EXPECTED);
    }
  });

  it('count the connection that is closing until the application has answered', async () => {
    let answerNow: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    application.handlers.close = async () => {
      await held;
      return undefined;
    };
    delete application.handlers.connect;
    const client = await chosen.open(1, { path: '/connect?key=leaving' });
    client.sendClose(1000);
    await application.waitForCall(({ kind }) => kind === 'close');
    await calls.statsWhen((stats) => stats.closing_connections === 1);
    answerNow();
    await calls.statsWhen((stats) => stats.closing_connections === 0);
  });
});

describe('ping', () => {
  it('needs nothing but a node', async () => {
    const node = await startNode({ config: {} });
    const calls = new ApplicationCalls(node.addresses.public);
    const answer = await calls.call('/ping', { method: 'GET' });
    expect([answer.status, answer.text]).toEqual([200, ALL_WELL.body]);
    expect(answer.header('Content-Type')).toBe(ALL_WELL.type);
  });
});
