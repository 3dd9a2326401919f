/** Channels: one call for many connections, in one order, from every worker to every worker. */
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
import { ALL_WELL, ApplicationCalls, BODY, JSON_TYPE, type Told, unknown } from './application-calls.ts';
import { ChosenWorkers } from './chosen-workers.ts';

const FIRST = [0, 1, 2, 3];

/** The answer about channels alone. */
function delivered(counts: Record<string, number>): Told {
  const channels = Object.entries(counts).map(
    ([name, count]) => `{"channel":"${name}","delivered":${count}}`,
  );
  return { status: 200, type: JSON_TYPE, body: `{"channels":[${channels.join(',')}],"result":"OK"}` };
}

describe.each([1, 2])('channels with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let chosen: ChosenWorkers;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        workers,
        callback: application.callback,
        limits: { channels_per_connection: 3, channel_name: 32 },
      },
    });
    calls = new ApplicationCalls(node.addresses.public);
    chosen = await ChosenWorkers.of(node, workers);
  });

  /** A client at the worker `place` that the application puts into `channels`. */
  const join = (place: number, key: string, ...channels: string[]): Promise<RawClient> => {
    const query = channels.map((channel) => `&channel=${encodeURIComponent(channel)}`).join('');
    return chosen.open(place, { path: `/connect?key=${key}${query}` });
  };

  it('are told beside the result, to the letter', async () => {
    const clients = await Promise.all([0, 1, 0].map((place, n) => join(place, `exact${n}`, 'c')));
    for (const place of [0, 1]) {
      const answer = await calls.send({ channels: ['c'], body: 'x', agent: await chosen.agent(place) });
      expect(answer).toEqual({
        status: 200,
        type: JSON_TYPE,
        body: '{"channels":[{"channel":"c","delivered":3}],"result":"OK"}',
      });
    }
    for (const client of clients)
      expect([await client.nextText(), await client.nextText()]).toEqual(['x', 'x']);
  });

  it('are no error when they are empty or unknown', async () => {
    expect(await calls.send({ channels: ['nobody'], body: 'x' })).toEqual(delivered({ nobody: 0 }));
    expect(await calls.close({ channels: ['nobody'] })).toEqual(delivered({ nobody: 0 }));
  });

  it('reach members from the moment that they have their 101', async () => {
    // Each name has its owner, here one worker and there the other.
    for (const n of FIRST) {
      for (const [at, from] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const channel = `ready-${n}-${at}`;
        const client = await join(at, channel, channel);
        const answer = await calls.send({
          channels: [channel],
          body: 'at once',
          agent: await chosen.agent(from),
        });
        expect(answer).toEqual(delivered({ [channel]: 1 }));
        expect(await client.nextText()).toBe('at once');
      }
    }
  });

  it('carry messages in one order to all members, whoever sends', async () => {
    const clients = await Promise.all([0, 1, 0, 1].map((place, n) => join(place, `order${n}`, 'order')));
    const agents = await Promise.all([0, 1, 0, 1].map((place) => chosen.agent(place)));
    await Promise.all(
      agents.map(async (agent, sender) => {
        for (let n = 0; n < 25; n++) {
          expect(await calls.send({ channels: ['order'], body: `${sender}:${n}`, agent })).toEqual(
            delivered({ order: 4 }),
          );
        }
      }),
    );
    const [one, ...others] = await Promise.all(
      clients.map(async (client) => (await client.frames.atLeast(100)).map(({ text }) => text)),
    );
    expect(new Set(one).size).toBe(100);
    for (const other of others) expect(other).toEqual(one);
    // And each sender's own order is kept.
    for (const sender of FIRST) {
      expect(one?.filter((text) => text.startsWith(`${sender}:`))).toEqual(
        Array.from({ length: 25 }, (_, n) => `${sender}:${n}`),
      );
    }
  });

  it('stand beside sessions in one call, each told in its own way', async () => {
    const [member, single] = [await join(0, 'both1', 'both'), await join(1, 'both2')];
    const answer = await calls.send({
      sessions: ['nope', 'both2'],
      channels: ['both', 'void'],
      body: 'bytes',
      type: 'application/octet-stream',
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      channels: [
        { channel: 'both', delivered: 1 },
        { channel: 'void', delivered: 0 },
      ],
      errors: [{ error: 'kuiperbelt: session is not found', session: 'nope' }],
      result: 'OK',
    });
    for (const client of [member, single]) {
      expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.binary, text: 'bytes' });
    }
  });

  it('may be joined and left while connected', async () => {
    const clients = [await join(0, 'in0'), await join(1, 'in1')];
    const sessions = ['in0', 'in1'];
    for (const place of [0, 1]) {
      const agent = await chosen.agent(place);
      expect(await calls.subscribe({ sessions, channels: ['d1', 'd2'], agent })).toEqual(ALL_WELL);
      expect(await calls.send({ channels: ['d1', 'd2'], body: 'in', agent })).toEqual(
        delivered({ d1: 2, d2: 2 }),
      );
      for (const client of clients)
        expect([await client.nextText(), await client.nextText()]).toEqual(['in', 'in']);
      expect(await calls.unsubscribe({ sessions, channels: ['d1', 'never'], agent })).toEqual(ALL_WELL);
      expect(await calls.send({ channels: ['d1', 'd2'], body: 'half', agent })).toEqual(
        delivered({ d1: 0, d2: 2 }),
      );
      for (const client of clients) expect(await client.nextText()).toBe('half');
      expect(await calls.unsubscribe({ sessions, channels: ['d2'], agent })).toEqual(ALL_WELL);
    }
  });

  it('deliver once to a member that joined twice', async () => {
    const client = await join(1, 'twice', 'twice', 'twice');
    expect(await calls.subscribe({ sessions: ['twice'], channels: ['twice'] })).toEqual(ALL_WELL);
    expect(await calls.send({ channels: ['twice'], body: 'once' })).toEqual(delivered({ twice: 1 }));
    expect(await calls.send({ channels: ['twice'], body: 'more' })).toEqual(delivered({ twice: 1 }));
    expect([await client.nextText(), await client.nextText()]).toEqual(['once', 'more']);
  });

  it('tell who could not join', async () => {
    await join(1, 'full', 'f1', 'f2');
    expect(await calls.subscribe({ sessions: ['nope', 'full'], channels: ['f3'] })).toEqual(
      unknown(['nope']),
    );
    const answer = await calls.subscribe({ sessions: ['full'], channels: ['f4'] });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      200,
      { errors: [{ error: 'session is in too many channels', session: 'full' }], result: 'OK' },
    ]);
    expect(await calls.send({ channels: ['f3', 'f4'], body: 'x' })).toEqual(delivered({ f3: 1, f4: 0 }));
  });

  it('need a channel and a session to be joined, and a name to be sent to', async () => {
    const missing = { status: 400, type: JSON_TYPE };
    for (const call of ['subscribe', 'unsubscribe'] as const) {
      expect(await calls[call]({ sessions: ['x'] })).toEqual({ ...missing, body: BODY.channelMissing });
      expect(await calls[call]({ channels: ['x'] })).toEqual({ ...missing, body: BODY.sessionMissing });
      expect(await calls[call]({})).toEqual({ ...missing, body: BODY.sessionMissing });
      expect((await calls.told(`/${call}`, { method: 'GET' })).status).toBe(405);
    }
    for (const channel of ['', 'x'.repeat(33)]) {
      const answer = await calls.send({ channels: [channel], body: 'x' });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([400, { result: 'NG' }]);
    }
    expect(await calls.send({ channels: ['x'.repeat(32)] })).toMatchObject({ status: 200 });
  });

  it('are left by whoever goes', async () => {
    const [stays, goes] = [await join(0, 'stays', 'exit'), await join(1, 'goes', 'exit')];
    goes.sendClose(1000);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === 'goes');
    expect(await calls.send({ channels: ['exit'], body: 'alone' })).toEqual(delivered({ exit: 1 }));
    expect(await stays.nextText()).toBe('alone');
  });

  it('end with all of their members by one close, and without close callbacks', async () => {
    const clients = await Promise.all([0, 1, 1].map((place, n) => join(place, `last${n}`, 'last')));
    const witness = await join(0, 'witness');
    expect(await calls.close({ channels: ['last'], body: 'bye' })).toEqual(delivered({ last: 3 }));
    for (const client of clients) {
      expect(await client.nextText()).toBe('bye');
      expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1000 });
    }
    expect(await calls.send({ channels: ['last'] })).toEqual(delivered({ last: 0 }));
    expect(await calls.send({ sessions: ['last0', 'last2'] })).toEqual(unknown(['last0', 'last2']));
    witness.sendClose(1000);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === 'witness');
    expect(application.calls('close').filter(({ session }) => session.startsWith('last'))).toEqual([]);
  });

  it('are escaped in JSON as sessions are', async () => {
    const answer = await calls.call('/send', { channels: ['<a&"b">'], body: 'x' });
    expect(answer.text).toBe(
      '{"channels":[{"channel":"\\u003ca\\u0026\\"b\\"\\u003e","delivered":0}],"result":"OK"}',
    );
  });
});

describe('channel_header', () => {
  it('renames the header on both sides', async () => {
    const application = await startApplication({
      connect: () => ({ headers: ['X-Kuiperbelt-Session', 'k', 'x-room', 'lobby', 'X-Room', 'attic'] }),
    });
    const node = await startNode({ config: { callback: application.callback, channel_header: 'X-Room' } });
    const calls = new ApplicationCalls(node.addresses.public);
    const client = await openWebSocket({ port: node.addresses.public.port, headers: ['X-Room', 'forged'] });
    expect(application.calls('connect')[0]?.headerLines('X-Room')).toEqual([]);
    expect(await calls.send({ headers: ['X-ROOM', 'lobby', 'x-room', 'attic'], body: 'x' })).toEqual(
      delivered({ lobby: 1, attic: 1 }),
    );
    expect([await client.nextText(), await client.nextText()]).toEqual(['x', 'x']);
  });
});
