/** Traces at a real node: on callbacks, on log lines, and across the death of a worker. */
import { expect, test } from 'vitest';
import {
  type Application,
  type Callback,
  openWebSocket,
  post,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

async function start(settings: Readonly<Record<string, unknown>>): Promise<[Application, RunningNode]> {
  const application = await startApplication({ receive: () => ({ status: 500 }) });
  const node = await startNode({ config: { callback: { ...application.callback, ...settings } } });
  return [application, node];
}

/** One whole life of a connection; its callbacks in order. */
async function live(
  [application, node]: [Application, RunningNode],
  headers: readonly string[],
): Promise<Callback[]> {
  const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect', headers });
  await application.waitFor('establish', 1);
  client.sendText('one');
  client.sendText('two');
  await application.waitFor('receive', 2);
  client.sendClose(1000);
  await application.waitFor('close', 1);
  return (['connect', 'establish', 'receive', 'close'] as const).flatMap((kind) => application.calls(kind));
}

function spanOf(callback: Callback): { trace: string; span: string; flags: string } {
  expect(callback.headerLines('traceparent')).toEqual([expect.stringMatching(TRACEPARENT)]);
  const [, trace = '', span = '', flags = ''] = TRACEPARENT.exec(
    callback.header('traceparent') ?? '',
  ) as RegExpExecArray;
  return { trace, span, flags };
}

test.each(['00', '01'])("the client's trace goes on by default, with its flag and state", async (flags) => {
  const running = await start({});
  const [, node] = running;
  const state = ['Tracestate', 'a=1, b=2', 'tracestate', 'c=3'];
  const callbacks = await live(running, ['Traceparent', `00-${ID}-${PARENT}-${flags}`, ...state]);
  expect(callbacks).toHaveLength(5);
  const spans = callbacks.map(spanOf);
  for (const span of spans) expect([span.trace, span.flags]).toEqual([ID, flags]);
  expect(new Set([PARENT, ...spans.map(({ span }) => span)]).size).toBe(6);
  for (const callback of callbacks) expect(callback.headerLines('tracestate')).toEqual(['a=1,b=2,c=3']);
  const line = await node.waitForLog(({ msg }) => msg.startsWith('the receive callback failed'));
  expect(line).toMatchObject({ trace_id: ID, connection: callbacks[0]?.header('X-Arrokoth-Connection') });
});

test.each([
  ['none', []],
  ['a malformed one', ['traceparent', `00-${ID}-${PARENT}-0`, 'tracestate', 'a=1']],
  ['two', ['traceparent', `00-${ID}-${PARENT}-01`, 'traceparent', `00-${ID}-${PARENT}-01`]],
])('a new trace begins where the client names %s', async (_what, headers) => {
  const callbacks = await live(await start({ trace: 'continue', trace_sampled: false }), headers);
  const spans = callbacks.map(spanOf);
  expect(new Set(spans.map(({ trace }) => trace)).size).toBe(1);
  expect(spans[0]?.trace).not.toBe(ID);
  for (const { flags } of spans) expect(flags).toBe('00');
  for (const callback of callbacks) expect(callback.headerLines('tracestate')).toEqual([]);
});

test("a client's trace is not believed under `restart`", async () => {
  const running = await start({ trace: 'restart' });
  const headers = ['traceparent', `00-${ID}-${PARENT}-00`, 'tracestate', 'a=1'];
  const callbacks = await live(running, headers);
  for (const callback of callbacks) {
    expect(spanOf(callback)).toMatchObject({ trace: expect.not.stringContaining(ID), flags: '01' });
    expect(callback.headerLines('tracestate')).toEqual([]);
  }
});

test('without tracing, what a client says of traces is a header like any other', async () => {
  const running = await start({ trace: 'off' });
  const callbacks = await live(running, ['traceparent', 'whatever', 'tracestate', 'a=1']);
  expect(callbacks.map((callback) => callback.headerLines('traceparent'))).toEqual([
    ['whatever'],
    [],
    [],
    [],
    [],
  ]);
  const line = await running[1].waitForLog(({ msg }) => msg.startsWith('the receive callback failed'));
  expect(line).not.toHaveProperty('trace_id');
});

test("the application's trace stands on the access lines of its calls", async () => {
  const [, node] = await start({ trace: 'restart' });
  const send = async (...lines: string[]): Promise<unknown> => {
    const requestId = `r${Math.random()}`;
    const headers = ['X-Kuiperbelt-Session', 'nobody', 'X-Request-Id', requestId, ...lines];
    await post(`${node.addresses.public.url}/send`, headers);
    const line = await node.waitForLog((entry) => entry.msg === 'access' && entry.requestId === requestId);
    return line.trace_id;
  };
  expect(await send('traceparent', `00-${ID}-${PARENT}-01`)).toBe(ID);
  expect(await send('traceparent', `00-${ID}-${PARENT}`)).toBeUndefined();
  expect(await send()).toBeUndefined();
});

test('the end of a connection whose worker was killed is in the same trace', async () => {
  const [application, node] = await start({ trace: 'continue' });
  await openWebSocket({ port: node.addresses.public.port, path: '/connect' });
  const [establish] = await application.waitFor('establish', 1);
  for (const pid of node.workers()) process.kill(pid, 'SIGKILL');
  const [close] = await application.waitFor('close', 1);
  expect(close?.header('X-Arrokoth-Reason')).toBe('worker_lost');
  expect(spanOf(close as Callback).trace).toBe(spanOf(establish as Callback).trace);
});
