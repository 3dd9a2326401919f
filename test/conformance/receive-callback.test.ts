/** Messages of clients on their way to the application (kuiperbelt 7). */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Application,
  OPCODE,
  openWebSocket,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls } from './application-calls.ts';

describe('the receive callback', () => {
  let application: Application;
  let node: RunningNode;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: application.callback,
        node: { name: 'n@127.0.0.1' },
        proxy_set_header: { 'X-Zone': 'north', 'X-Kuiperbelt-Endpoint': '' },
        limits: { receive_queue: 4 },
      },
    });
  });

  beforeEach(() => {
    delete application.handlers.receive;
  });

  const openClient = (key: string) =>
    openWebSocket({ port: node.addresses.public.port, path: `/connect?key=${key}` });
  const receivedFrom = (key: string) => application.calls('receive').filter(({ session }) => session === key);
  const waitForBody = (key: string, body: string) =>
    application.waitForCall(
      (call) => call.kind === 'receive' && call.session === key && call.body.toString() === body,
    );

  it.each([
    ['text', OPCODE.text, 'hello \u2603', 'text/plain'],
    ['empty', OPCODE.text, '', 'text/plain'],
    ['bytes', OPCODE.binary, 'hello', 'application/octet-stream'],
    ['nothing', OPCODE.binary, '', 'application/octet-stream'],
  ])('of %s is a chunked POST', async (key, opcode, payload, type) => {
    const client = await openClient(key);
    client.sendFrame({ opcode, payload });
    const call = await waitForBody(key, payload);
    expect([call.method, call.url]).toEqual(['POST', '/receive']);
    expect(call.headerLines('Content-Type')).toEqual([type]);
    // Chunked even when it is empty, as applications of the original have always got it.
    expect(call.headerLines('Transfer-Encoding')).toEqual(['chunked']);
    expect(call.headerLines('Content-Length')).toEqual([]);
    expect(call.headerLines('X-Kuiperbelt-Session')).toEqual([key]);
    expect(call.headerLines('X-Kuiperbelt-Endpoint')).toEqual([`127.0.0.1:${node.addresses.public.port}`]);
    expect(call.header('X-Zone')).toBeUndefined();
    const [connect] = application.calls('connect').filter(({ query }) => query.get('key') === key);
    expect(call.header('X-Arrokoth-Connection')).toBe(connect?.header('X-Arrokoth-Connection'));
  });

  it('is one at a time and in order, however many messages come at once', async () => {
    let running = 0;
    let runningMax = 0;
    const client = await openClient('ordered');
    application.handlers.receive = async () => {
      runningMax = Math.max(runningMax, ++running);
      // A turn of the loop is what a second callback would need to come in between.
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return undefined;
    };
    // More than may wait: the rest stays in the network until there is room.
    const texts = Array.from({ length: 40 }, (_, n) => String(n));
    for (const text of texts) client.sendText(text);
    await waitForBody('ordered', '39');
    expect(receivedFrom('ordered').map(({ body }) => body.toString())).toEqual(texts);
    expect(runningMax).toBe(1);
  });

  it('holds up neither pings nor a goodbye, where the original notices nothing meanwhile', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    application.handlers.receive = async () => {
      await held;
      return undefined;
    };
    const client = await openClient('patient');
    client.sendText('slow');
    await waitForBody('patient', 'slow');
    client.ping('still there?');
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, text: 'still there?' });
    client.sendClose(1000);
    expect(await client.closed).toMatchObject({ code: 1000, orderly: true });
    release();
  });

  it('of different clients do not wait for each other', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    application.handlers.receive = async ({ session }) => {
      if (session === 'stuck') await held;
      return undefined;
    };
    const [stuck, free] = [await openClient('stuck'), await openClient('free')];
    stuck.sendText('first');
    await waitForBody('stuck', 'first');
    free.sendText('second');
    await waitForBody('free', 'second');
    release();
  });

  it('loses the message that fails, keeps the connection and goes on', async () => {
    const client = await openClient('unlucky');
    application.handlers.receive = ({ body }) => {
      if (body.toString() === 'refused') return { status: 503, body: 'for the log' };
      if (body.toString() === 'cut') return 'cut';
      return { status: 200, body: 'not for the client' };
    };
    for (const text of ['refused', 'cut', 'taken']) client.sendText(text);
    await waitForBody('unlucky', 'taken');
    expect(receivedFrom('unlucky').map(({ body }) => body.toString())).toEqual(['refused', 'cut', 'taken']);
    client.ping('silence');
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, text: 'silence' });
    const lost = await node.log.atLeast(2, ({ msg }) => msg.includes('the message is lost'));
    expect(lost.map(({ cause }) => cause)).toEqual([expect.stringContaining('503'), expect.any(String)]);
    expect(JSON.stringify(lost)).not.toContain('for the log');
  });

  it('precedes the close callback of whoever says something and leaves', async () => {
    const client = await openClient('hasty');
    for (const text of ['last', 'words']) client.sendText(text);
    client.sendClose(1000);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === 'hasty');
    expect(receivedFrom('hasty').map(({ body }) => body.toString())).toEqual(['last', 'words']);
  });
});

describe('without a receive callback', () => {
  it('messages are discarded and the connection lives on', async () => {
    const application = await startApplication();
    const { connect, close } = application.callback;
    const node = await startNode({ config: { callback: { connect, close } } });
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=k' });
    client.sendText('into the void');
    client.ping('there?');
    expect((await client.nextFrame()).text).toBe('there?');
    const calls = new ApplicationCalls(node.addresses.public);
    expect(await calls.send({ sessions: ['k'], body: 'still here' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('still here');
    expect(application.calls('receive')).toEqual([]);
  });
});
