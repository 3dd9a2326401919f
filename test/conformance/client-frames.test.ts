/** What a client may say on an open connection, and how each broken rule ends it (kuiperbelt 7). */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  closePayload,
  encodeClientFrame,
  type FrameToSend,
  OPCODE,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';

const TOO_LONG = 'x'.repeat(126);

const VIOLATIONS: [text: string, frames: readonly FrameToSend[]][] = [
  ['incorrect mask flag', [{ payload: 'x', masked: false }]],
  ['unexpected reserved bits 0x40', [{ payload: 'x', rsv: 4 }]],
  ['unexpected reserved bits 0x20', [{ payload: 'x', rsv: 2 }]],
  ['unexpected reserved bits 0x10', [{ opcode: OPCODE.ping, rsv: 1 }]],
  ['unknown opcode 3', [{ opcode: 3 }]],
  ['unknown opcode 11', [{ opcode: 11 }]],
  ['control frame length > 125', [{ opcode: OPCODE.ping, payload: TOO_LONG }]],
  ['control frame length > 125', [{ opcode: OPCODE.close, payload: TOO_LONG }]],
  ['control frame not final', [{ opcode: OPCODE.pong, payload: 'x', fin: false }]],
  ['message start before final message frame', [{ payload: 'a', fin: false }, { payload: 'b' }]],
  ['continuation after final message frame', [{ opcode: OPCODE.continuation, payload: 'x' }]],
  ['continuation after final message frame', [{ payload: 'x' }, { opcode: OPCODE.continuation }]],
  ['invalid close code', [{ opcode: OPCODE.close, payload: closePayload(1005) }]],
  ['invalid close code', [{ opcode: OPCODE.close, payload: closePayload(999) }]],
  ['invalid close code', [{ opcode: OPCODE.close, payload: closePayload(5000) }]],
  ['invalid close code', [{ opcode: OPCODE.close, payload: 'x' }]],
  [
    'invalid utf8 payload in close frame',
    [{ opcode: OPCODE.close, payload: closePayload(1000, new Uint8Array([0xff])) }],
  ],
];

describe('frames of clients', () => {
  let application: Application;
  let node: RunningNode;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { callback: application.callback, limits: { message: '64KiB' } } });
  });

  let counter = 0;
  const openClient = async (): Promise<{ client: RawClient; key: string }> => {
    const key = `k${counter++}`;
    const client = await openWebSocket({ port: node.addresses.public.port, path: `/connect?key=${key}` });
    return { client, key };
  };
  const endOf = (key: string) =>
    application.waitForCall(({ kind, session }) => kind === 'close' && session === key);
  const receivedFrom = (key: string) =>
    application.waitForCall(({ kind, session }) => kind === 'receive' && session === key);

  it.each(VIOLATIONS)('end with 1002 "%s"', async (text, frames) => {
    const { client, key } = await openClient();
    for (const frame of frames) client.sendFrame(frame);
    expect(await client.closed).toMatchObject({ closeFrame: { code: 1002, reason: text }, orderly: true });
    expect((await endOf(key)).header('X-Arrokoth-Reason')).toBe('protocol_error');
    // Nothing but the close frame was sent.
    expect(client.frames.items).toHaveLength(1);
  });

  it('end with 1007 for a text that is not UTF-8', async () => {
    const { client, key } = await openClient();
    client.sendFrame({ payload: new Uint8Array([0x66, 0xfc, 0x72]) });
    // Decided: RFC 6455 wants it; the original passes such texts on.
    expect(await client.closed).toMatchObject({ code: 1007, orderly: true });
    expect((await endOf(key)).header('X-Arrokoth-Reason')).toBe('invalid_utf8');
    expect(application.calls('receive').filter(({ session }) => session === key)).toEqual([]);
  });

  it('end with 1009 for a message beyond the limit, in one frame or in several', async () => {
    const half = 'x'.repeat(40_000);
    for (const frames of [
      [{ payload: 'x'.repeat(65_537) }],
      [
        { payload: half, fin: false },
        { opcode: OPCODE.continuation, payload: half },
      ],
    ]) {
      const { client, key } = await openClient();
      for (const frame of frames) client.sendFrame(frame);
      expect(await client.closed).toMatchObject({ code: 1009, orderly: true });
      expect((await endOf(key)).header('X-Arrokoth-Reason')).toBe('message_too_large');
    }
    const { client, key } = await openClient();
    client.sendText('x'.repeat(65_536));
    expect((await receivedFrom(key)).body).toHaveLength(65_536);
  });

  it('may come in fragments, with pings in between, and in any pieces', async () => {
    const { client, key } = await openClient();
    const bytes = Buffer.concat([
      encodeClientFrame({ payload: 'one ', fin: false }),
      encodeClientFrame({ opcode: OPCODE.ping, payload: 'between' }),
      encodeClientFrame({ opcode: OPCODE.continuation, payload: '', fin: false }),
      encodeClientFrame({ opcode: OPCODE.continuation, payload: 'two \u2603' }),
    ]);
    for (const byte of bytes) client.sendBytes(Buffer.from([byte]));
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, fin: true, text: 'between' });
    expect((await receivedFrom(key)).body.toString()).toBe('one two \u2603');
  });

  it('are answered with a pong of the same bytes when they are pings, else not at all', async () => {
    const { client } = await openClient();
    client.pong('unasked');
    client.pong();
    for (const payload of ['', 'mark', 'x'.repeat(125)]) {
      client.ping(payload);
      expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, masked: false, text: payload });
    }
  });

  it.each([
    [1000, 'done'],
    [1001, ''],
    [1011, 'x'],
    [3000, 'y'],
    [4999, '\u2603'],
  ])('say goodbye with %i and get their code back without a reason', async (code, reason) => {
    const { client, key } = await openClient();
    client.sendClose(code, reason);
    const echo = await client.nextFrame();
    expect([echo.opcode, echo.payload]).toEqual([OPCODE.close, closePayload(code)]);
    expect((await client.closed).orderly).toBe(true);
    const end = await endOf(key);
    expect([end.header('X-Arrokoth-Reason'), end.header('X-Arrokoth-Close-Code')]).toEqual([
      'client_close',
      `${code}`,
    ]);
  });

  it('say goodbye without a code and get none back', async () => {
    const { client, key } = await openClient();
    client.sendClose();
    const echo = await client.nextFrame();
    expect([echo.opcode, echo.payload.length]).toEqual([OPCODE.close, 0]);
    expect((await client.closed).orderly).toBe(true);
    expect((await endOf(key)).header('X-Arrokoth-Close-Code')).toBe('1005');
  });

  it('mean nothing after the goodbye', async () => {
    const { client, key } = await openClient();
    client.sendBytes(
      Buffer.concat([
        encodeClientFrame({ opcode: OPCODE.close, payload: closePayload(1000) }),
        encodeClientFrame({ payload: 'too late' }),
      ]),
    );
    expect(await client.closed).toMatchObject({ code: 1000 });
    await endOf(key);
    expect(application.calls('receive').filter(({ session }) => session === key)).toEqual([]);
  });

  it('are taken for the end when there are none any more', async () => {
    const [fin, reset] = [await openClient(), await openClient()];
    fin.client.end();
    reset.client.reset();
    for (const { key } of [fin, reset]) {
      const end = await endOf(key);
      expect([end.header('X-Arrokoth-Reason'), end.header('X-Arrokoth-Close-Code')]).toEqual([
        'client_gone',
        '1006',
      ]);
    }
  });
});

describe('pings of the node', () => {
  it('come by themselves, and a client that does not answer is closed with 1001', async () => {
    const application = await startApplication();
    const node = await startNode({
      config: { callback: application.callback, ping: { interval: '100ms', timeout: '2s' } },
    });
    const { port } = node.addresses.public;
    const polite = await openWebSocket({ port, path: '/connect?key=polite' });
    const deaf = await openWebSocket({ port, path: '/connect?key=deaf' });
    polite.socket.on('data', () => polite.pong());
    expect((await deaf.nextFrame()).opcode).toBe(OPCODE.ping);
    expect(await deaf.closed).toMatchObject({ code: 1001 });
    const end = await application.waitForCall(({ kind }) => kind === 'close');
    expect([end.session, end.header('X-Arrokoth-Reason')]).toEqual(['deaf', 'ping_timeout']);
    // It was pinged several times before the other one was given up, and is still there.
    await polite.frames.atLeast(polite.frames.items.length + 1);
    expect(polite.frames.items.every(({ opcode }) => opcode === OPCODE.ping)).toBe(true);
  });
});
