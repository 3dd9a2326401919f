/**
 * Every mode at a real node, ordered over the operator's API: who comes in, who is told what.
 *
 * The node is alone, with one worker and with two; which of the two a client meets is the kernel's
 * choice, so each thing is tried several times.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  type Application,
  type HandshakeAnswer,
  handshake,
  openWebSocket,
  post,
  type RawClient,
  type RunningNode,
  request,
  startApplication,
  startBackend,
  startNode,
} from '../support/index.ts';

type Ordered = 'normal' | 'block_new_session' | 'block_new_connection';

const TIMES = 6;

interface Scene {
  readonly application: Application;
  readonly node: RunningNode;
  /** Is in the channel `room`; nobody else is anywhere. */
  readonly alice: RawClient;
}

async function startScene(workers: number): Promise<Scene> {
  const application = await startApplication();
  const backend = await startBackend();
  const api = { listen: '127.0.0.1:0' };
  const upstream = { backends: [backend.url] };
  const node = await startNode({ config: { workers, callback: application.callback, api, upstream } });
  const alice = await openWebSocket({
    port: node.addresses.public.port,
    path: '/connect?key=alice&channel=room',
  });
  return { application, node, alice };
}

async function operate(node: RunningNode, target: string, body?: unknown) {
  const answer = await request({
    method: 'POST',
    url: `${node.addresses.api?.url}/`,
    headers: ['x-sora-target', target],
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: answer.text };
}

async function changeMode(node: RunningNode, mode: Ordered): Promise<void> {
  const ordered = await operate(node, 'Sora_20211215.ChangeMode', { mode });
  expect(ordered).toEqual({ status: 200, text: `{"mode":"${mode}"}` });
  expect((await operate(node, 'Sora_20211215.GetMode')).text).toBe(`{"mode":"${mode}"}`);
}

let clients = 0;

/** Somebody new asks to come in; the query names channels. */
async function knock(node: RunningNode, channels: string): Promise<HandshakeAnswer & { client: RawClient }> {
  clients++;
  const path = `/connect?key=k${clients}${channels}`;
  const client = handshake({ port: node.addresses.public.port, path });
  return Object.assign(await client.answered, { client });
}

async function knockOften(
  node: RunningNode,
  channels: string,
): Promise<(HandshakeAnswer & { client: RawClient })[]> {
  const answers = [];
  for (let time = 0; time < TIMES; time++) answers.push(await knock(node, channels));
  return answers;
}

function blockedEvents(application: Application): string[] {
  const events = application.calls('close').filter((call) => call.header('x-arrokoth-reason') === 'blocked');
  return events.map((call) => call.header('x-arrokoth-event-id') as string);
}

/** What is the same in every mode: open connections, the application's calls, what is passed on. */
async function expectOthersServed({ node, alice }: Scene): Promise<void> {
  const { url } = node.addresses.public;
  const sent = await post(`${url}/send`, ['X-Kuiperbelt-Session', 'alice'], 'to you');
  expect(sent.text).toBe('{"result":"OK"}');
  expect(await alice.nextText()).toBe('to you');
  const published = await post(`${url}/send`, ['X-Kuiperbelt-Channel', 'room'], 'to all');
  expect(published.json()).toMatchObject({ channels: [{ channel: 'room' }], result: 'OK' });
  expect(await alice.nextText()).toBe('to all');
  expect((await request({ url: `${url}/page` })).text).toBe('GET /page 0');
  expect((await request({ url: `${url}/ping` })).status).toBe(200);
  expect((await request({ url: `${node.addresses.api?.url}/healthz` })).status).toBe(200);
}

async function readyz(node: RunningNode): Promise<unknown> {
  const answer = await request({ url: `${node.addresses.api?.url}/readyz` });
  return [answer.status, answer.json()];
}

function unready(mode: string): unknown {
  return [503, { status: 'not_ready', reason: `the node's mode is ${mode}` }];
}

function expectRefused(answers: readonly HandshakeAnswer[], mode: string): void {
  for (const { status, header, body } of answers) {
    expect([status, body]).toEqual([503, `Service Unavailable: the node is in mode ${mode}\n`]);
    expect(Number(header('retry-after'))).toBeGreaterThan(0);
  }
}

async function subscribe(node: RunningNode, session: string, channel: string): Promise<unknown> {
  const headers = ['X-Kuiperbelt-Session', session, 'X-Kuiperbelt-Channel', channel];
  return (await post(`${node.addresses.public.url}/subscribe`, headers, '')).json();
}

function blockedAnswer(session: string): unknown {
  return { errors: [{ error: 'node begins no new channel session', session }], result: 'OK' };
}

describe.each([1, 2])('a node of %i worker(s)', (workers) => {
  test('lets in whose channels have somebody, in block_new_session', async () => {
    const scene = await startScene(workers);
    const { node, application } = scene;
    await changeMode(node, 'block_new_session');
    expect(await readyz(node)).toEqual(unready('block_new_session'));
    expect((await knockOften(node, '&channel=room')).map(({ status }) => status)).toEqual(
      Array(TIMES).fill(101),
    );
    const refused = [
      ...(await knockOften(node, '&channel=fresh')),
      ...(await knockOften(node, '&channel=room&channel=fresh')),
      ...(await knockOften(node, '')),
    ];
    expectRefused(refused, 'block_new_session');
    expect(application.calls('connect')).toHaveLength(1 + 4 * TIMES);
    await application.waitFor('close', 3 * TIMES);
    expect(new Set(blockedEvents(application)).size).toBe(3 * TIMES);
    expect(application.calls('close')).toHaveLength(3 * TIMES);
    expect(await subscribe(node, 'alice', 'fresh')).toEqual(blockedAnswer('alice'));
    expect(await subscribe(node, 'alice', 'room')).toEqual({ result: 'OK' });
    await expectOthersServed(scene);
    await changeMode(node, 'normal');
    expect(await readyz(node)).toEqual([200, { status: 'ready' }]);
    expect((await knockOften(node, '&channel=fresh')).map(({ status }) => status)).toEqual(
      Array(TIMES).fill(101),
    );
    expect(await subscribe(node, 'alice', 'other')).toEqual({ result: 'OK' });
    const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    const counted = [...page.matchAll(/^arrokoth_mode_refusals_total\{(.*)\} (\d+)$/gm)];
    const ofConnects = counted.filter(([, labels]) => labels?.includes('what="connect"'));
    expect(ofConnects.reduce((sum, [, , value]) => sum + Number(value), 0)).toBe(3 * TIMES);
    expect(page).toMatch(/^arrokoth_mode\{.*mode="normal".*\} 1$/m);
  });

  test('begins none for clients who race each other, nor for one whose session just ended', async () => {
    const { node, application, alice } = await startScene(workers);
    await changeMode(node, 'block_new_session');
    const racing = await Promise.all(Array.from({ length: 20 }, () => knock(node, '&channel=fresh')));
    expectRefused(racing, 'block_new_session');
    await application.waitFor('close', 20);
    expect(new Set(blockedEvents(application)).size).toBe(20);
    const [second] = await knockOften(node, '&channel=room');
    alice.sendClose(1000);
    await application.waitForCall((call) => call.kind === 'close' && call.session === 'alice');
    // Others are there still, so the session is.
    expect((await knock(node, '&channel=room')).status).toBe(101);
    expect(second?.status).toBe(101);
    const fresh = await openAndLeave(node, application);
    expectRefused(await knockOften(node, `&channel=${fresh}`), 'block_new_session');
  });

  test('lets nobody in, in block_new_connection, and asks nobody', async () => {
    const scene = await startScene(workers);
    const { node, application } = scene;
    await changeMode(node, 'block_new_connection');
    expect(await readyz(node)).toEqual(unready('block_new_connection'));
    for (const channels of ['&channel=room', '&channel=fresh', '']) {
      expectRefused(await knockOften(node, channels), 'block_new_connection');
    }
    expect(application.calls('connect')).toHaveLength(1);
    expect(await subscribe(node, 'alice', 'fresh')).toEqual(blockedAnswer('alice'));
    expect(await subscribe(node, 'alice', 'room')).toEqual({ result: 'OK' });
    await expectOthersServed(scene);
    expect(application.calls('close')).toEqual([]);
  });

  test('tells the end of whom it was asking about when the mode was ordered', async () => {
    const { node, application } = await startScene(workers);
    let admit = (): void => {};
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    application.handlers.connect = async () => {
      await admitted;
      return undefined;
    };
    const asked = knock(node, '&channel=room');
    await application.waitFor('connect', 2);
    await changeMode(node, 'block_new_connection');
    admit();
    expectRefused([await asked], 'block_new_connection');
    const [close] = await application.waitFor('close', 1);
    expect(close?.header('x-arrokoth-reason')).toBe('blocked');
    expect(close?.header('x-arrokoth-close-code')).toBe('1006');
  });

  test('is in initial while its supervisor is silent, whatever was ordered, and comes back', async () => {
    const { node, application, alice } = await startScene(workers);
    await changeMode(node, 'block_new_session');
    process.kill(node.pid, 'SIGSTOP');
    try {
      await until(
        async () =>
          JSON.stringify(await readyz(node)) === JSON.stringify(unready('initial')) &&
          (await allAre(503, node)),
      );
      const asked = application.calls('connect').length;
      expectRefused(await knockOften(node, '&channel=room'), 'initial');
      expect(application.calls('connect')).toHaveLength(asked);
      expect(await readyz(node)).toEqual(unready('initial'));
      const url = `${node.addresses.public.url}/send`;
      const published = await post(url, ['X-Kuiperbelt-Channel', 'room'], 'nobody hears this');
      expect(published.json()).toEqual({
        errors: [{ channel: 'room', error: 'owner is isolated' }],
        result: 'OK',
      });
      await post(url, ['X-Kuiperbelt-Session', 'alice'], 'still here');
      expect(await alice.nextText()).toBe('still here');
    } finally {
      process.kill(node.pid, 'SIGCONT');
    }
    await until(() => allAre(101, node));
    expect((await operate(node, 'Sora_20211215.GetMode')).text).toBe('{"mode":"block_new_session"}');
  });
});

/** Nothing tells from outside when a process has noticed a silence, so it is asked again and again. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pass(100);
}

async function allAre(status: number, node: RunningNode): Promise<boolean> {
  return (await knockOften(node, '&channel=room')).every((answer) => answer.status === status);
}

/** A channel that had somebody until a moment ago. */
async function openAndLeave(node: RunningNode, application: Application): Promise<string> {
  await changeMode(node, 'normal');
  const path = '/connect?key=leaver&channel=left';
  const leaver = await openWebSocket({ port: node.addresses.public.port, path });
  await changeMode(node, 'block_new_session');
  leaver.sendClose(1000);
  await application.waitForCall((call) => call.kind === 'close' && call.session === 'leaver');
  return 'left';
}
