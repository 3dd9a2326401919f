/**
 * `Idempotency-Key` at a real node: what an application gets that tries again.
 */
import { expect, test } from 'vitest';
import {
  keepAliveAgent,
  openWebSocket,
  request,
  startApplication,
  startNode,
  type TestAnswer,
} from '../support/index.ts';

test.each([1, 2])('a repeated send arrives once, with %i worker(s)', async (workers) => {
  const application = await startApplication();
  const api = { listen: '127.0.0.1:0' };
  const node = await startNode({ config: { workers, callback: application.callback, api } });
  const { port, url } = node.addresses.public;
  const client = await openWebSocket({ port, path: '/connect?key=alice' });
  const agent = keepAliveAgent(8);
  const send = (key: string, body: string): Promise<TestAnswer> => {
    const headers = ['X-Kuiperbelt-Session', 'alice', 'Idempotency-Key', key];
    return request({ url: `${url}/send`, headers, body, agent });
  };
  // At the same time and over several sockets, so that different workers are met.
  for (let number = 0; number < 10; number++) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(`key-${number}`, `m${number}`)));
    expect(answers.map(({ text }) => text)).toEqual(answers.map(() => '{"result":"OK"}'));
    expect(answers.filter((answer) => answer.header('Idempotency-Replayed') === undefined)).toHaveLength(1);
  }
  const reused = await send('key-0', 'another');
  expect(reused).toMatchObject({ status: 422, statusText: 'Unprocessable Entity' });
  expect(reused.text).toContain('Idempotency-Key was used for another request');
  expect((await send('', 'x')).status).toBe(400);
  agent.destroy();

  await request({ url: `${url}/send`, headers: ['X-Kuiperbelt-Session', 'alice'], body: 'end' });
  const heard: string[] = [];
  do heard.push(await client.nextText());
  while (heard.at(-1) !== 'end');
  expect(heard).toEqual([...Array.from({ length: 10 }, (_, number) => `m${number}`), 'end']);

  const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
  const sum = (name: string): number =>
    [...page.matchAll(new RegExp(`^${name}.* (\\d+)$`, 'gm'))].reduce((total, [, n]) => total + Number(n), 0);
  expect(sum('arrokoth_idempotency_keys')).toBe(10);
  expect(sum('arrokoth_idempotent_calls_total\\{result="first"')).toBe(10);
  expect(sum('arrokoth_idempotent_calls_total\\{result="reused"')).toBe(1);
});
