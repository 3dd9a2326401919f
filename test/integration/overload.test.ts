/**
 * A real worker that runs short of memory: who is refused, who is shed, who notices nothing.
 */
import { expect, test } from 'vitest';
import {
  type HandshakeRefused,
  LightClient,
  type LogLine,
  post,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const MIB = 1_024 * 1_024;
/** A heap that tests can fill: its limit is what this says and a little more. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=256' };

/** The status that a client who comes now is answered with. */
async function statusOfNewcomer(port: number): Promise<number> {
  try {
    const client = await LightClient.open({ port, path: '/connect?key=new' });
    client.socket.destroy();
    return 101;
  } catch (error) {
    return (error as HandshakeRefused).status;
  }
}

/** Each step has a bound of its own; together they are more than a test has by itself. */
const TIMEOUT_MS = 150_000;

test('sheds the client that everything waits for, and nobody else, and admits again', {
  timeout: TIMEOUT_MS,
}, async () => {
  const application = await startApplication();
  const { connect, close } = application.callback;
  const node = await startNode({
    config: {
      callback: { connect, close },
      api: { listen: '127.0.0.1:0' },
      slow_client: { queue_bytes: '1GiB' },
      overload: { heap: 35, heap_shed: 45, lag: '0s', lag_shed: '0s' },
    },
    env: SMALL_HEAP,
  });
  const { port, url } = node.addresses.public;
  const api = `${node.addresses.api?.url}`;
  const stalled = await LightClient.open({ port, path: '/connect?key=stalled' });
  stalled.socket.pause();
  const reading = await LightClient.open({ port, path: '/connect?key=reading' });
  const send = (key: string, body: string) => post(`${url}/send`, ['X-Kuiperbelt-Session', key], body);
  const body = 'x'.repeat(8 * MIB);
  for (let megabytes = 0; megabytes < 200; megabytes += 8) {
    expect((await send('stalled', body)).status).toBe(200);
  }
  const isOverloaded = (line: LogLine): boolean => line.code === 'OVERLOADED';
  expect(await node.waitForLog(isOverloaded, 30_000)).toMatchObject({ cause: 'heap' });
  await expect.poll(() => statusOfNewcomer(port)).toBe(503);
  const probe = await request({ url: `${url}/connect` });
  expect([probe.status, Number(probe.header('Retry-After')) >= 1]).toEqual([503, true]);
  const readyz = await request({ url: `${api}/readyz` });
  expect([readyz.status, readyz.text]).toEqual([503, expect.stringContaining('too much to do')]);

  const [call] = await application.waitFor('close', 1, 30_000);
  expect(call?.session).toBe('stalled');
  expect(call?.header('X-Arrokoth-Reason')).toBe('overload');
  expect((await send('reading', 'still here')).status).toBe(200);
  await expect.poll(() => reading.messages).toBe(1);
  await node.waitForLog((line) => line.msg === 'the worker admits again', 50_000);
  expect(await statusOfNewcomer(port)).toBe(101);
  expect((await request({ url: `${api}/readyz` })).status).toBe(200);
  const page = (await request({ url: `${api}/metrics` })).text;
  expect(page).toContain('arrokoth_overload_shed_total{worker="gateway/0"} 1\n');
  expect(page).toMatch(/arrokoth_overload_refusals_total\{worker="gateway\/0"\} [1-9]/);
  expect(reading.closeCode).toBe(null);
});
