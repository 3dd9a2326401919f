/**
 * kuiperbelt's test vectors on the wire: what its clients and applications have seen for years.
 *
 * Bytes, lengths, content types and counters are the released program's. Where this product decided
 * for something better, the test says so and shows what replaced the original's behaviour.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  defaultAnswer,
  handshake,
  OPCODE,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, BODY, growth, JSON_TYPE, unknown } from './application-calls.ts';

describe.each([1, 2])('the vectors with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let strictNode: RunningNode;
  let calls: ApplicationCalls;
  let strictCalls: ApplicationCalls;

  beforeAll(async () => {
    application = await startApplication({
      connect: (callback) => {
        const status = Number(callback.query.get('status') ?? 200);
        if (status === 200) return defaultAnswer(callback);
        return { status, headers: ['Content-Type', 'application/json'], body: '{}' };
      },
    });
    const { callback } = application;
    [node, strictNode] = await Promise.all([
      startNode({ config: { workers, callback } }),
      startNode({ config: { workers, callback, strict_broadcast: true } }),
    ]);
    calls = new ApplicationCalls(node.addresses.public);
    strictCalls = new ApplicationCalls(strictNode.addresses.public);
  });

  const open = (key: string, at: RunningNode = node): Promise<RawClient> =>
    openWebSocket({ port: at.addresses.public.port, path: `/connect?key=${key}` });

  const closesOf = (key: string) => application.calls('close').filter((call) => call.session === key);

  /** Another client leaves; whatever was owed before its close callback has been sent by then. */
  const letSomebodyLeave = async (key: string): Promise<void> => {
    const client = await open(key);
    client.sendClose(1000);
    await application.waitForCall((call) => call.kind === 'close' && call.session === key);
  };

  it('1: an unknown sole key is an error beside a 200, and a 400 when strict', async () => {
    expect(await calls.send({ sessions: ['nope'], body: 'x' })).toEqual({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: '{"errors":[{"error":"kuiperbelt: session is not found","session":"nope"}],"result":"OK"}\n',
    });
    expect(await strictCalls.send({ sessions: ['nope'], body: 'x' })).toEqual({
      status: 400,
      type: 'text/plain; charset=utf-8',
      body: '{"errors":[{"error":"kuiperbelt: session is not found","session":"nope"}],"result":"NG"}\n',
    });
  });

  it('1: strict serves nobody when one is unknown', async () => {
    const alice = await open('v1-alice', strictNode);
    expect(await strictCalls.send({ sessions: ['v1-alice', 'nope'], body: 'never' })).toEqual(
      unknown(['nope'], 'NG'),
    );
    expect(await strictCalls.send({ sessions: ['v1-alice'], body: 'next' })).toEqual(ALL_WELL);
    expect(await alice.nextText()).toBe('next');
  });

  it('2: unknown keys are told in the order of the request, and the others are served', async () => {
    const alice = await open('v2-alice');
    const answer = await calls.send({ sessions: ['nope', 'v2-alice', 'nope2'], body: 'hello' });
    expect(answer).toEqual(unknown(['nope', 'nope2']));
    expect(await alice.nextText()).toBe('hello');
  });

  it('3: commas do not split a header line', async () => {
    await open('v3-alice');
    expect(await calls.send({ sessions: ['v3-alice, v3-bob'], body: 'x' })).toEqual(
      unknown(['v3-alice, v3-bob']),
    );
  });

  it('4: another method and a missing header are refused in JSON of 59 and 64 bytes', async () => {
    const get = await calls.call('/send', { method: 'GET' });
    expect([get.status, get.header('Content-Type'), get.text]).toEqual([405, JSON_TYPE, BODY.methodMissing]);
    expect([get.body.length, get.header('Content-Length')]).toEqual([59, '59']);
    const keyless = await calls.call('/send', { body: 'x' });
    expect([keyless.status, keyless.header('Content-Type'), keyless.text]).toEqual([
      400,
      JSON_TYPE,
      BODY.sessionMissing,
    ]);
    expect([keyless.body.length, keyless.header('Content-Length')]).toEqual([64, '64']);
  });

  it('5: a close sends its farewell, then ends the connection without a callback', async () => {
    const alice = await open('v5-alice');
    expect(await calls.close({ sessions: ['v5-alice'], body: 'bye' })).toEqual(ALL_WELL);
    expect(await alice.nextText()).toBe('bye');
    // Decided: a close frame as RFC 6455 wants it, where the original cuts the connection (1006).
    const frame = await alice.nextFrame();
    expect([frame.opcode, frame.payload]).toEqual([OPCODE.close, Buffer.from([0x03, 0xe8])]);
    alice.sendClose(1000);
    expect(await alice.closed).toMatchObject({ code: 1000, orderly: true });
    await letSomebodyLeave('v5-bob');
    expect(closesOf('v5-alice')).toEqual([]);
  });

  it('6: a 401 is relayed and counted, a 403 is relayed and not counted', async () => {
    const { port } = node.addresses.public;
    for (const [status, connectErrors] of [
      [401, { total_connections: 1, connect_errors: 1 }],
      [403, { total_connections: 1 }],
    ] as const) {
      const before = await calls.stats();
      const answer = await handshake({ port, path: `/connect?status=${status}` }).answered;
      expect([answer.status, answer.header('Content-Type'), answer.body]).toEqual([
        status,
        'application/json',
        '{}',
      ]);
      const after = await calls.statsWhen((stats) => stats.connections === before.connections);
      expect(growth(before, after)).toEqual(connectErrors);
    }
  });

  it('9: a binary message arrives chunked, as application/octet-stream', async () => {
    const alice = await open('v9-alice');
    alice.sendBinary(Buffer.from([0x00, 0x01]));
    const received = await application.waitForCall(
      (call) => call.session === 'v9-alice' && call.kind === 'receive',
    );
    expect(received.method).toBe('POST');
    expect(received.headerLines('Transfer-Encoding')).toEqual(['chunked']);
    expect(received.headerLines('Content-Length')).toEqual([]);
    expect(received.headerLines('Content-Type')).toEqual(['application/octet-stream']);
    expect(received.body).toEqual(Buffer.from([0x00, 0x01]));
  });

  it("10: a client's close frame is echoed with its code alone, and told once", async () => {
    const alice = await open('v10-alice');
    alice.sendClose(4000, 'xx');
    const frame = await alice.nextFrame();
    expect([frame.opcode, frame.payload]).toEqual([OPCODE.close, Buffer.from([0x0f, 0xa0])]);
    expect(await alice.closed).toMatchObject({ code: 4000, orderly: true });
    await application.waitForCall((call) => call.kind === 'close' && call.session === 'v10-alice');
    await letSomebodyLeave('v10-bob');
    expect(closesOf('v10-alice')).toHaveLength(1);
  });

  it('8: the newest connection of a key wins, and the end of the older one harms nobody', async () => {
    const first = await open('v8-s1');
    const second = await open('v8-s1');
    // Decided: the older one is closed with 4409, where the original keeps it open but unreachable.
    const frame = await first.nextFrame();
    expect([frame.opcode, frame.closeCode, frame.closeReason]).toEqual([OPCODE.close, 4409, 'replaced']);
    first.reset();
    const end = await application.waitForCall((call) => call.kind === 'close' && call.session === 'v8-s1');
    expect(end.header('X-Arrokoth-Reason')).toBe('replaced');
    // Decided: the original says "not found" here, because the older one's end unregisters the key.
    expect(await calls.send({ sessions: ['v8-s1'], body: 'still here' })).toEqual(ALL_WELL);
    expect(await second.nextText()).toBe('still here');
    expect(closesOf('v8-s1')).toHaveLength(1);
  });
});

describe('vector 7: the idle timeout', () => {
  it('spares a client that talks or pings, and cuts a silent one with 1001', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback, idle_timeout: '2s' } });
    const calls = new ApplicationCalls(node.addresses.public);
    const { port } = node.addresses.public;
    const talker = await openWebSocket({ port, path: '/connect?key=talker' });
    const pinger = await openWebSocket({ port, path: '/connect?key=pinger' });
    const talk = setInterval(() => {
      // Decided: what a client says renews its time, where the original counts pings alone.
      talker.sendText('still here');
      pinger.ping('still here');
    }, 200);
    cleanUpAfterwards(() => clearInterval(talk));
    // The silent one comes last, so whoever is cut for the same silence is cut before it.
    const silent = await openWebSocket({ port, path: '/connect?key=silent' });
    // Decided: a close frame, where the original cuts the connection.
    const frame = await silent.nextFrame();
    expect([frame.opcode, frame.closeCode]).toEqual([OPCODE.close, 1001]);
    const end = await application.waitForCall((call) => call.kind === 'close');
    expect([end.session, end.header('X-Arrokoth-Reason')]).toEqual(['silent', 'idle']);
    expect(await calls.send({ sessions: ['talker', 'pinger'], body: 'x' })).toEqual(ALL_WELL);
  });
});
