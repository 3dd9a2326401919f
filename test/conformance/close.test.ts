/** `/close`: the application ends a connection and is not told of it again (kuiperbelt 6.4). */
import type { Agent } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  OPCODE,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, type Call, growth, isQuiet, unknown } from './application-calls.ts';
import { ChosenWorkers } from './chosen-workers.ts';

describe.each([1, 2])('close with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let chosen: ChosenWorkers;
  let agent: Agent;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { workers, callback: application.callback } });
    calls = new ApplicationCalls(node.addresses.public);
    chosen = await ChosenWorkers.of(node, workers);
    agent = await chosen.agent(0);
  });

  /** At the last worker, so that with two of them a call has to travel. */
  const openClient = (key: string): Promise<RawClient> => chosen.open(1, { path: `/connect?key=${key}` });
  const close = (call: Call) => calls.close({ ...call, agent });

  it('sends what was sent before, the farewell, a close frame and FIN, in this order', async () => {
    const client = await openClient('c1');
    for (const body of ['one', 'two']) await calls.send({ sessions: ['c1'], body, agent });
    expect(await close({ sessions: ['c1'], body: 'bye', type: 'application/octet-stream' })).toEqual(
      ALL_WELL,
    );
    expect([await client.nextText(), await client.nextText()]).toEqual(['one', 'two']);
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.binary, text: 'bye' });
    expect(await client.nextFrame()).toMatchObject({
      opcode: OPCODE.close,
      closeCode: 1000,
      closeReason: '',
    });
    client.sendClose(1000);
    expect(await client.closed).toMatchObject({ code: 1000, orderly: true });
  });

  it('sends an empty text message when the body is empty', async () => {
    const client = await openClient('c2');
    expect(await close({ sessions: ['c2'] })).toEqual(ALL_WELL);
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.text, fin: true, text: '' });
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1000 });
  });

  it('answers before the client has said anything, and knows the session no more', async () => {
    const client = await openClient('c3');
    client.pause();
    expect(await close({ sessions: ['c3'], body: 'bye' })).toEqual(ALL_WELL);
    expect(await close({ sessions: ['c3'], body: 'bye' })).toEqual(unknown(['c3']));
    expect(await calls.send({ sessions: ['c3'], agent })).toEqual(unknown(['c3']));
    await calls.statsWhen(isQuiet);
    client.resume();
    expect(await client.nextText()).toBe('bye');
  });

  it('makes no close callback and counts the farewell', async () => {
    await calls.statsWhen(isQuiet);
    const silent = await openClient('c4');
    const loud = await openClient('c5');
    const before = await calls.statsWhen((stats) => stats.connections === 2);
    expect(await close({ sessions: ['c4'], body: 'bye' })).toEqual(ALL_WELL);
    silent.sendClose(1000);
    await silent.closed;
    // Whoever leaves afterwards is told afterwards.
    loud.sendClose(1000);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === 'c5');
    expect(application.calls('close').map(({ session }) => session)).not.toContain('c4');
    const after = await calls.statsWhen(isQuiet);
    expect(growth(before, after)).toEqual({ connections: -2, total_messages: 1 });
  });

  it('ends the known ones and tells the unknown ones', async () => {
    const clients = await Promise.all([openClient('c6'), openClient('c7')]);
    expect(await close({ sessions: ['n1', 'c6', 'n2', 'c7'], body: 'bye' })).toEqual(unknown(['n1', 'n2']));
    for (const client of clients) {
      expect(await client.nextText()).toBe('bye');
      expect((await client.nextFrame()).closeCode).toBe(1000);
    }
  });

  it('frees the key at once for the next connection', async () => {
    await openClient('c8');
    expect(await close({ sessions: ['c8'], body: 'bye' })).toEqual(ALL_WELL);
    const next = await chosen.open(0, { path: '/connect?key=c8' });
    expect(await calls.send({ sessions: ['c8'], body: 'welcome', agent })).toEqual(ALL_WELL);
    expect(await next.nextText()).toBe('welcome');
  });
});

describe('a client that does not answer a close frame', () => {
  it('is cut after a while', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback } });
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=rude' });
    await new ApplicationCalls(node.addresses.public).close({ sessions: ['rude'], body: 'bye' });
    expect(await client.closed).toMatchObject({ code: 1000 });
    expect(client.frames.items.map((frame) => frame.opcode)).toEqual([OPCODE.text, OPCODE.close]);
  });
});
