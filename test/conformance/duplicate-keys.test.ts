/** One session key, several connections: the newest wins, wherever it is. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  handshake,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, isQuiet } from './application-calls.ts';
import { ChosenWorkers } from './chosen-workers.ts';

describe.each([1, 2])('a key that is used again, with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;
  let chosen: ChosenWorkers;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { workers, callback: application.callback } });
    calls = new ApplicationCalls(node.addresses.public);
    chosen = await ChosenWorkers.of(node, workers);
  });

  const connectionsOf = (key: string) =>
    application
      .calls('connect')
      .filter(({ query }) => query.get('key') === key)
      .map((call) => call.header('X-Arrokoth-Connection'));

  const endsOf = (key: string) => application.calls('close').filter(({ session }) => session === key);

  // With two workers the homes of these keys differ, and so does who is told by whom.
  it.each(['a', 'b', 'c', 'd'])('belongs to the newest connection (%s)', async (name) => {
    for (const [first, second] of [
      [0, 1],
      [1, 0],
      [0, 0],
    ] as const) {
      const key = `${name}${first}${second}`;
      const older = await chosen.open(first, { path: `/connect?key=${key}` });
      const newer = await chosen.open(second, { path: `/connect?key=${key}` });
      expect(await older.nextFrame()).toMatchObject({ closeCode: 4409, closeReason: 'replaced' });
      older.sendClose(4409);
      await older.closed;
      for (const place of [0, 1]) {
        const agent = await chosen.agent(place);
        expect(await calls.send({ sessions: [key], body: `from ${place}`, agent })).toEqual(ALL_WELL);
        expect(await newer.nextText()).toBe(`from ${place}`);
      }
      const end = await application.waitForCall(({ kind, session }) => kind === 'close' && session === key);
      expect([end.header('X-Arrokoth-Reason'), end.header('X-Arrokoth-Close-Code')]).toEqual([
        'replaced',
        '4409',
      ]);
      expect(end.header('X-Arrokoth-Connection')).toBe(connectionsOf(key)[0]);
      newer.sendClose(1000);
      await application.waitForCall(
        (call) => call.header('X-Arrokoth-Event-Id') === `${connectionsOf(key)[1]}.closed`,
      );
      expect((await calls.send({ sessions: [key] })).body).toContain('not found');
    }
  });

  it('leaves one of many that come at once, and every end is told once', async () => {
    const path = '/connect?key=crowd';
    const { port } = node.addresses.public;
    const clients = Array.from({ length: 12 }, () => handshake({ port, path }));
    const answers = await Promise.all(clients.map((client) => client.answered));
    // Whoever is replaced before its 101 is told why, and not to come again.
    const opened = clients.filter((_, place) => answers[place]?.status === 101);
    expect(answers.filter(({ status }) => status !== 101 && status !== 409)).toEqual([]);
    await application.waitForCall(() => endsOf('crowd').length === 11);
    expect(await calls.send({ sessions: ['crowd'], body: 'you' })).toEqual(ALL_WELL);
    const firstFrames = await Promise.all(opened.map((client) => client.nextFrame()));
    expect(firstFrames.filter(({ text }) => text === 'you')).toHaveLength(1);
    expect(firstFrames.filter(({ closeCode }) => closeCode === 4409)).toHaveLength(opened.length - 1);
    for (const client of clients) client.reset();
    await calls.statsWhen(isQuiet);
    const events = endsOf('crowd').map((call) => call.header('X-Arrokoth-Event-Id'));
    expect([events.length, new Set(events).size]).toEqual([12, 12]);
  });
});
