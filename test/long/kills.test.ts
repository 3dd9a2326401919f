/**
 * No ghosts, when processes are killed: whoever was admitted is told of once, whoever tells it.
 *
 * Each kill hits 1,000 open connections, some that are just closing, and a connect storm. Whoever
 * the application admitted counts, whether or not the client ever got its 101.
 */
import { describe, expect, it } from 'vitest';
import type { LightClient, RunningNode } from '../support/index.ts';
import { CountingApplication } from './counting-application.ts';
import { openCrowd } from './crowd.ts';
import { countReasons, type ExpectedEnd } from './end-faults.ts';
import { gatewayRun, replacementOf } from './node-processes.ts';
import { Storm } from './storm.ts';
import { endsTold, startWatchedNode, stopAndCheck } from './watched-node.ts';

const COUNT = 1_000;
/** Clients that are closing at the moment of the kill. */
const CLOSING = 200;
const keyOf = (index: number): string => `client-${index}`;
const numberOf = (key: string): number => Number(key.slice('client-'.length));

/** What is under way when something is killed. */
interface Traffic {
  readonly clients: readonly LightClient[];
  readonly storm: Storm;
}

async function startTraffic(node: RunningNode): Promise<Traffic> {
  const target = { port: node.addresses.public.port };
  const channels = (index: number) => (index % 2 === 0 ? ['all', `room-${index % 10}`] : []);
  const clients = await openCrowd({ target, count: COUNT, key: keyOf, channels });
  const storm = new Storm({ target, width: 64, name: 'storm' });
  await storm.opened.reaches(300);
  for (const client of clients.slice(0, CLOSING)) client.close();
  return { clients, storm };
}

/** Those who were open and had not begun to close. */
function settled({ clients, storm }: Traffic): Map<string, LightClient> {
  const settledOnes = new Map(storm.clients.map(({ key, client }) => [key, client]));
  for (let index = CLOSING; index < COUNT; index++) {
    settledOnes.set(keyOf(index), clients[index] as LightClient);
  }
  return settledOnes;
}

const wasClosing = (key: string): boolean => key.startsWith('client-') && numberOf(key) < CLOSING;

/**
 * The application's answer to these may have been on its way when the worker died: it is told which
 * connection is over, but not its key, which nobody has heard.
 */
function neverOpened({ storm }: Traffic): (admitted: { readonly key: string }) => boolean {
  const opened = new Set(storm.clients.map(({ key }) => key));
  return ({ key }) => key.startsWith('storm') && !opened.has(key);
}

/** Open ones end with `lost` if the kill broke them, else with the drain; of others, either will do. */
function expectation(open: ReadonlyMap<string, LightClient>, lost: ExpectedEnd) {
  const broken = new Set<string>();
  for (const [key, client] of open) if (!client.open) broken.add(key);
  return ({ key }: { readonly key: string }): ExpectedEnd | undefined => {
    if (!open.has(key)) return undefined;
    return broken.has(key) ? lost : { reason: 'drain', code: 1001 };
  };
}

describe('kill -9 of a worker', () => {
  it.each([1, 2])('of %i leaves no ghost', async (workers) => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers });
    const traffic = await startTraffic(node);
    const open = settled(traffic);
    const victim = gatewayRun(node, workers - 1);
    process.kill(victim.pid, 'SIGKILL');
    await replacementOf(node, victim);
    await traffic.storm.opened.reaches(traffic.storm.opened.value + 200);
    await traffic.storm.stop();
    const lost = [...open.values()].filter((client) => !client.open).length;
    await endsTold(application, lost + CLOSING);
    const expected = expectation(open, { reason: 'worker_lost', code: 1006 });
    // The dead worker may have told some ends of the closing ones without having noted the answer.
    const repetitionAllowed = ({ key }: { readonly key: string }) => wasClosing(key);
    const check = { expected, repetitionAllowed, keyMayBeUnknown: neverOpened(traffic) };
    expect(await stopAndCheck(node, application, check)).toEqual([]);
    expect(lost).toBeGreaterThan(0);
    console.log(`workers: ${workers}`, countReasons(application.ends), `storm: ${traffic.storm.attempts}`);
  });
});

describe('kill -9 of a node', () => {
  const cases = [
    { workers: 1, whom: 'supervisor and workers' },
    { workers: 2, whom: 'supervisor and workers' },
    { workers: 1, whom: 'supervisor alone' },
    { workers: 2, whom: 'supervisor alone' },
  ] as const;

  it.each(cases)('($whom of $workers) and a restart leave no ghost', async ({ workers, whom }) => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers });
    const traffic = await startTraffic(node);
    const open = settled(traffic);
    const stormStopped = traffic.storm.stop();
    await (whom === 'supervisor alone' ? node.kill() : node.killAll());
    await stormStopped;
    await Promise.all([...open.values()].map((client) => client.closed));
    if (whom === 'supervisor alone') {
      expect([...new Set([...open.values()].map((client) => client.closeCode))]).toEqual([1012]);
    }
    const restarted = await startWatchedNode(application, { workers }, { folder: node.folder });
    await endsTold(application, application.admitted.size);
    const expected = expectation(open, { reason: 'node_restarted', code: 1006 });
    const repetitionAllowed = ({ key }: { readonly key: string }) => wasClosing(key);
    const check = { expected, repetitionAllowed, keyMayBeUnknown: neverOpened(traffic) };
    expect(await stopAndCheck(restarted, application, check)).toEqual([]);
    console.log(`workers: ${workers}, ${whom}`, countReasons(application.ends));
  });

  it('again and again, while it tells what it owes, leaves no ghost', async () => {
    const application = await CountingApplication.start();
    let node = await startWatchedNode(application, { workers: 2 });
    const traffic = await startTraffic(node);
    const open = settled(traffic);
    const stormStopped = traffic.storm.stop();
    await node.killAll();
    await stormStopped;
    const rounds = 4;
    for (let round = 1; round <= rounds; round++) {
      // Fewer workers than journals, and then more again.
      const workers = (round % 3) + 1;
      node = await startWatchedNode(application, { workers }, { folder: node.folder });
      await endsTold(application, Math.floor((application.admitted.size * round) / (rounds + 1)));
      await node.killAll();
    }
    node = await startWatchedNode(application, { workers: 2 }, { folder: node.folder });
    await endsTold(application, application.admitted.size);
    const expected = expectation(open, { reason: 'node_restarted', code: 1006 });
    const keyMayBeUnknown = neverOpened(traffic);
    const check = { expected, repetitionAllowed: () => true, keyMayBeUnknown };
    expect(await stopAndCheck(node, application, check)).toEqual([]);
  });

  it('while the application is away keeps what is owed', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 2 });
    const traffic = await startTraffic(node);
    const open = settled(traffic);
    const stormStopped = traffic.storm.stop();
    await node.killAll();
    await stormStopped;
    application.busy = true;
    const restarted = await startWatchedNode(application, { workers: 1 }, { folder: node.folder });
    await application.turnedAway.reaches(2 * COUNT);
    await restarted.killAll();
    const again = await startWatchedNode(application, { workers: 2 }, { folder: node.folder });
    application.busy = false;
    await endsTold(application, application.admitted.size);
    const expected = expectation(open, { reason: 'node_restarted', code: 1006 });
    // An answer of 503 is no note: only what was accepted counts.
    const repetitionAllowed = ({ key }: { readonly key: string }) => wasClosing(key);
    const keyMayBeUnknown = neverOpened(traffic);
    const check = { expected, repetitionAllowed, keyMayBeUnknown, retried: true };
    expect(await stopAndCheck(again, application, check)).toEqual([]);
  });
});

describe('a drain that is cut short', () => {
  it('leaves the rest to the next start', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 2, drain: { timeout: '1s' } });
    const { clients, storm } = await startTraffic(node);
    await storm.stop();
    application.silent = true;
    const exit = await node.stop();
    expect(exit.code).toBe(0);
    const farewell = node.log.items.find((line) => line.msg === 'node stopped');
    expect(Number(farewell?.closeCallbacksGivenUp)).toBeGreaterThan(COUNT - CLOSING);
    await Promise.all(clients.map((client) => client.closed));
    application.silent = false;
    const restarted = await startWatchedNode(application, {}, { folder: node.folder });
    await endsTold(application, application.admitted.size);
    const expected = ({ key }: { readonly key: string }) =>
      wasClosing(key) ? undefined : { reason: 'drain', code: 1001 };
    // The first node gave up on answers that never came; the second tells those ends again.
    const check = { expected, repetitionAllowed: () => true };
    expect(await stopAndCheck(restarted, application, check)).toEqual([]);
    for (const { client } of storm.clients) client.destroy();
  });
});
