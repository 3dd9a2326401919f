/**
 * `/send` to sessions, from every worker to every worker (kuiperbelt 6.1 to 6.3).
 *
 * With two workers each case runs over a connection to the first of them, and the sessions are
 * spread over both; what it is told must not depend on that.
 */
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
import {
  ALL_WELL,
  ApplicationCalls,
  BODY,
  type Call,
  JSON_TYPE,
  TEXT_TYPE,
  unknown,
} from './application-calls.ts';
import { ChosenWorkers } from './chosen-workers.ts';

describe.each([1, 2])('send with %i worker(s)', (workers) => {
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

  /** Opens a client at the worker `place`, counted round. */
  const openClient = (key: string, place = 0): Promise<RawClient> =>
    chosen.open(place, { path: `/connect?key=${encodeURIComponent(key)}` });
  /** Through the first worker. */
  const send = (call: Call) => calls.send({ ...call, agent });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('refuses %s', async (method) => {
    const answer = await calls.call('/send', { method, sessions: ['x'] });
    expect([answer.status, answer.header('Content-Type'), answer.text]).toEqual([
      405,
      JSON_TYPE,
      BODY.methodMissing,
    ]);
    expect(answer.header('Allow')).toBe('POST');
  });

  it('reaches a session wherever it is, in the order of the requests', async () => {
    const clients = await Promise.all([openClient('s0', 0), openClient('s1', 1)]);
    for (let n = 1; n <= 20; n++) {
      expect(await send({ sessions: [`s${n % 2}`], body: String(n) })).toEqual(ALL_WELL);
    }
    for (const [place, client] of clients.entries()) {
      const texts: string[] = [];
      while (texts.length < 10) texts.push(await client.nextText());
      expect(texts).toEqual(
        Array.from({ length: 20 }, (_, index) => String(index + 1)).filter((n) => Number(n) % 2 === place),
      );
    }
  });

  it('answers everybody served with these headers, no line feed behind the body', async () => {
    await openClient('exact', 1);
    const answer = await calls.call('/send', { sessions: ['exact'], body: 'x', agent });
    expect([answer.status, answer.text, answer.header('Content-Type')]).toEqual([200, BODY.ok, JSON_TYPE]);
    expect(answer.header('Content-Length')).toBe('15');
  });

  it('serves many sessions with one request, and tells the unknown ones in order', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `many-${index}`);
    const clients = await Promise.all(
      keys.filter((_, index) => index % 2 === 0).map((key, index) => openClient(key, index)),
    );
    const answer = await send({ sessions: keys, body: 'to all' });
    expect(answer).toEqual(unknown(keys.filter((_, index) => index % 2 === 1)));
    for (const client of clients) expect(await client.nextText()).toBe('to all');
  });

  it('overlooks none of two thousand lines', async () => {
    const client = await openClient('k1999', 1);
    const keys = Array.from({ length: 2_000 }, (_, index) => `k${index}`);
    expect(await send({ sessions: keys, body: 'last' })).toEqual(unknown(keys.slice(0, -1)));
    expect(await client.nextText()).toBe('last');
  });

  it('delivers twice to a session that is named twice', async () => {
    const client = await openClient('twice', 1);
    expect(await send({ sessions: ['twice', 'nope', 'twice'], body: 'again' })).toEqual(unknown(['nope']));
    expect([await client.nextText(), await client.nextText()]).toEqual(['again', 'again']);
  });

  it('takes an empty line for a session that is not there', async () => {
    expect(await send({ sessions: [''] })).toEqual(unknown(['']));
  });

  it('shows keys as Go writes them in JSON', async () => {
    const answer = await calls.call('/send', { sessions: ['<a&b>"\\\u00e9'], agent });
    // A lone byte 0xE9 is no UTF-8.
    expect(answer.text).toBe(
      '{"errors":[{"error":"kuiperbelt: session is not found",' +
        '"session":"\\u003ca\\u0026b\\u003e\\"\\\\\\ufffd"}],"result":"OK"}\n',
    );
  });

  it('takes session keys of any bytes that fit into a header', async () => {
    const key = Buffer.from('caf\u00e9 \u2603', 'utf8').toString('latin1');
    application.handlers.connect = () => ({ headers: ['X-Kuiperbelt-Session', key] });
    const client = await chosen.open(1, {});
    delete application.handlers.connect;
    expect(await send({ sessions: [key], body: 'snow' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('snow');
  });

  it.each([
    [undefined, OPCODE.text],
    ['text/plain; charset=application/octet-stream', OPCODE.text],
    ['application/octet-stream', OPCODE.binary],
    [' APPLICATION/octet-STREAM ;x=y', OPCODE.binary],
    ['application/octet-stream2', OPCODE.text],
  ])('makes a message of type %s', async (type, opcode) => {
    const client = await openClient('typed', 1);
    const body = Buffer.from([0xff, 0x00, 0x80]);
    expect(await send({ sessions: ['typed'], body, ...(type === undefined ? {} : { type }) })).toEqual(
      ALL_WELL,
    );
    expect(await client.nextFrame()).toMatchObject({ opcode, fin: true, masked: false, payload: body });
  });

  it.each([0, 125, 126, 65_535, 65_536, 3_000_000])('makes one frame of %i bytes', async (length) => {
    const client = await openClient('sized', 1);
    const body = Buffer.alloc(length, 'y');
    expect(await send({ sessions: ['sized'], body })).toEqual(ALL_WELL);
    const frame = await client.nextFrame();
    expect([frame.opcode, frame.fin, frame.payload.equals(body)]).toEqual([OPCODE.text, true, true]);
  });

  it('finds nobody after the end of a session', async () => {
    const client = await openClient('ended', 1);
    client.sendClose(1000);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === 'ended');
    expect(await send({ sessions: ['ended'] })).toEqual(unknown(['ended']));
  });
});

describe.each([1, 2])('strict_broadcast with %i worker(s)', (workers) => {
  it('serves all or nobody', async () => {
    const application = await startApplication();
    const node = await startNode({
      config: { workers, callback: application.callback, strict_broadcast: true },
    });
    const calls = new ApplicationCalls(node.addresses.public);
    const chosen = await ChosenWorkers.of(node, workers);
    const agent = await chosen.agent(0);
    const clients = await Promise.all(
      ['s0', 's1'].map((key, place) => chosen.open(place, { path: `/connect?key=${key}` })),
    );
    expect(await calls.send({ sessions: ['n1', 's0', 's1', 'n2'], body: 'never', agent })).toEqual(
      unknown(['n1', 'n2'], 'NG'),
    );
    expect(await calls.close({ sessions: ['s0', 's1', 'n1'], body: 'never', agent })).toEqual(
      unknown(['n1'], 'NG'),
    );
    expect(await calls.send({ sessions: ['s0', 's1'], body: 'both', agent })).toEqual(ALL_WELL);
    for (const client of clients) expect(await client.nextText()).toBe('both');
  });
});

describe('compat: documented', () => {
  it("answers as kuiperbelt's manual says", async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback, compat: 'documented' } });
    const calls = new ApplicationCalls(node.addresses.public);
    const alice = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=alice' });
    const bob = '{"errors":[{"error":"session is not found.","session":"bob"}],';
    expect(await calls.send({ sessions: ['bob'], body: 'x' })).toEqual({
      status: 200,
      type: JSON_TYPE,
      body: `${bob}"result":"NG"}\n`,
    });
    expect(await calls.send({ sessions: ['alice', 'bob'], body: 'x' })).toEqual({
      status: 200,
      type: JSON_TYPE,
      body: `${bob}"result":"OK"}\n`,
    });
    expect(await calls.close({ sessions: ['bob'] })).toMatchObject({ body: `${bob}"result":"NG"}\n` });
    expect(await calls.send({ sessions: ['alice'], body: 'y' })).toEqual(ALL_WELL);
    expect([await alice.nextText(), await alice.nextText()]).toEqual(['x', 'y']);
    expect(await calls.send({})).toEqual({ status: 400, type: JSON_TYPE, body: BODY.sessionMissing });
  });
});

describe('session_header', () => {
  it('may be spelt in any way, on both sides', async () => {
    const application = await startApplication({ connect: () => ({ headers: ['X-FOO', 'k'] }) });
    const node = await startNode({ config: { callback: application.callback, session_header: 'x-foo' } });
    const calls = new ApplicationCalls(node.addresses.public);
    const client = await openWebSocket({ port: node.addresses.public.port });
    // Decided: any case is understood, where the original finds only its own canonical spelling.
    for (const name of ['x-foo', 'X-Foo', 'x-FOO']) {
      expect(await calls.send({ headers: [name, 'k'], body: name })).toEqual(ALL_WELL);
      expect(await client.nextText()).toBe(name);
    }
    expect(await calls.send({ headers: ['x-foo', 'k2'] })).toMatchObject({ status: 200, type: TEXT_TYPE });
    expect((await calls.send({ sessions: ['k'] })).status).toBe(400);
  });
});
