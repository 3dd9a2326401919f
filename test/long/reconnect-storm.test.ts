/**
 * 20,000 clients that are cut at once and come back at once, again and again: by themselves, because
 * one worker was killed, and because both were. The application is slow and never overrun, nobody
 * is lost or counted twice, and broadcasts reach everybody afterwards.
 *
 * `npm run check:long -- test/long/reconnect-storm.test.ts` prints the figures of this machine.
 */
import { cpus } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { keepAliveAgent, type RunningNode, request } from '../support/index.ts';
import type { ReturnFigures } from './clients/return-orders.ts';
import { CountingApplication } from './counting-application.ts';
import { countReasons } from './end-faults.ts';
import { figuresByWorker, nodeFigures } from './figures.ts';
import { gatewayRun, replacementOf } from './node-processes.ts';
import { ReturningCrowd } from './returning-crowd.ts';
import { endsTold, startWatchedNode, stopAndCheck } from './watched-node.ts';

const CLIENTS = 20_000;
const WORKERS = 2;
const IN_FLIGHT_MAX = 100;
const QUEUED_MAX = 1_000;
/** What the application takes for a connect: at its bounds, 2,000 of them a second. */
const CONNECT_MS = 100;
const CHANNEL = 'news';
const BROADCASTS = 50;

/** The most callbacks that waited at one worker, looked at while `work` goes on. */
async function highestWaiting(node: RunningNode, work: Promise<void>): Promise<number> {
  let highest = 0;
  let goesOn = true;
  const done = work.finally(() => {
    goesOn = false;
  });
  while (goesOn) {
    // Workers with thousands of handshakes in one turn may be too late for the page.
    const figures = await figuresByWorker(node, 'arrokoth_callbacks_waiting').catch(() => null);
    highest = Math.max(highest, ...(figures?.values() ?? []));
    await Promise.race([done, after(100)]);
  }
  await done;
  return highest;
}

interface Round {
  readonly name: string;
  readonly seconds: number;
  readonly figures: ReturnFigures;
  /** The most callbacks that waited at one worker. */
  readonly waiting: number;
}

/** One storm: what it does to the clients, until the last of them is back. */
class Weather {
  readonly rounds: Round[] = [];
  readonly #node: RunningNode;
  readonly #crowd: ReturningCrowd;
  readonly #application: CountingApplication;

  constructor(node: RunningNode, crowd: ReturningCrowd, application: CountingApplication) {
    this.#node = node;
    this.#crowd = crowd;
    this.#application = application;
  }

  /** `strike` says how many connections have broken, in all, when it is over. */
  async storm(name: string, strike: () => Promise<number> | number): Promise<void> {
    const startMs = Date.now();
    const losses = await strike();
    const back = this.#crowd.everyoneIsBack(losses).catch(async (cause: Error) => {
      throw new Error(`${name}: ${JSON.stringify(await this.#crowd.figures())}`, { cause });
    });
    const waiting = await highestWaiting(this.#node, back);
    const figures = await this.#crowd.figures();
    this.rounds.push({ name, figures, waiting, seconds: (figures.lastOpenedAtMs - startMs) / 1_000 });
    await this.#calm();
  }

  /** Everything is told of those that ended; whoever is not among them is open. */
  async #calm(): Promise<void> {
    const { ends, admitted } = this.#application;
    await expect
      .poll(async () => (await nodeFigures(this.#node)).closing_connections, { timeout: 60_000 })
      .toBe(0);
    await endsTold(this.#application, admitted.size - CLIENTS);
    const ended = new Set([...ends.values()].map(({ connection }) => connection));
    const living = [...admitted.keys()].filter((connection) => !ended.has(connection));
    const { open } = await this.#crowd.connections();
    expect(living.length).toBe(CLIENTS);
    expect(new Set(living)).toEqual(open);
    expect((await nodeFigures(this.#node)).connections).toBe(CLIENTS);
  }
}

async function publish(node: RunningNode): Promise<void> {
  const agent = keepAliveAgent();
  for (let number = 1; number <= BROADCASTS; number++) {
    const headers = ['X-Kuiperbelt-Channel', CHANNEL];
    const url = `${node.addresses.public.url}/send`;
    const answer = await request({ url, headers, body: `0:${number}`, agent });
    expect(answer.json()).toEqual({ channels: [{ channel: CHANNEL, delivered: CLIENTS }], result: 'OK' });
  }
  agent.destroy();
}

function printed(rounds: readonly Round[]): string {
  const rows = rounds.map(({ name, seconds, figures, waiting }) => {
    const { attempts, attemptsMax, refusals, ends, probes, retryAfterMaxMs } = figures;
    const mean = (attempts / CLIENTS).toFixed(2);
    return [
      `${name}: everybody back after ${seconds.toFixed(1)} s`,
      `${attempts} handshakes (${mean} a client, at most ${attemptsMax})`,
      `ended ${JSON.stringify(ends)}, refused ${JSON.stringify(refusals)}, probes ${JSON.stringify(probes)}`,
      `Retry-After up to ${retryAfterMaxMs / 1_000} s, at most ${waiting} callbacks waited at a worker`,
    ].join('; ');
  });
  return rows.join('\n');
}

it('20,000 clients come back, and the application notices nothing but work', async () => {
  const application = await CountingApplication.start();
  application.introduces = true;
  application.decide = () => after(CONNECT_MS, 'admit' as const);
  const node = await startWatchedNode(application, {
    workers: WORKERS,
    limits: { connections: 24_000 },
    callback: { max_in_flight: IN_FLIGHT_MAX, max_queued: QUEUED_MAX, timeout: '60s', close_timeout: '60s' },
    api: { listen: '127.0.0.1:0' },
    drain: { timeout: '60s' },
  });
  const { port } = node.addresses.public;
  const crowd = new ReturningCrowd({ port, processes: 2, count: CLIENTS, channel: CHANNEL });
  const weather = new Weather(node, crowd, application);
  const kill = async (slots: readonly number[]): Promise<number> => {
    await crowd.count({ cut: false });
    const held = await figuresByWorker(node, 'arrokoth_connections');
    const before = crowd.losses;
    const victims = slots.map((slot) => gatewayRun(node, slot));
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');
    for (const victim of victims) await replacementOf(node, victim);
    return slots.reduce((sum, slot) => sum + (held.get(`gateway/${slot}`) ?? Number.NaN), before);
  };

  await weather.storm('a cold start', () => {
    crowd.open();
    return 0;
  });
  await weather.storm('all cut at once', async () => {
    await crowd.count({ cut: true });
    return CLIENTS;
  });
  await weather.storm('one worker killed', () => kill([0]));
  await weather.storm('both workers killed', () => kill([0, 1]));
  await publish(node);
  const verdicts = await crowd.judge(BROADCASTS);
  const { opened } = await crowd.connections();

  const { atOnce, admitted } = application;
  console.log(printed(weather.rounds));
  console.log(
    `at the application at once: ${atOnce.highest('connect')} connects, ${atOnce.highest('close')} closes, ` +
      `${atOnce.highestOfAll} in all; ${admitted.size} admitted; cores: ${cpus().length}`,
  );
  for (const verdict of verdicts) {
    expect(verdict).toMatchObject({ faultCount: 0, behind: 0, unreadable: 0 });
    expect(verdict.messages).toBe((BROADCASTS * CLIENTS) / verdicts.length);
  }
  expect(atOnce.highestOfAll).toBeLessThanOrEqual(IN_FLIGHT_MAX * WORKERS);
  for (const { name, figures, waiting } of weather.rounds) {
    expect(waiting, name).toBeLessThanOrEqual(QUEUED_MAX);
    expect(figures.attemptsMax, name).toBeLessThan(20);
  }
  expect(weather.rounds.some(({ figures }) => (figures.refusals['503'] ?? 0) > 0)).toBe(true);
  // A worker may die between the application's yes and its reading of the key.
  const keyMayBeUnknown = ({ connection }: { readonly connection: string }) => !opened.has(connection);
  expect(await stopAndCheck(node, application, { expected: () => undefined, keyMayBeUnknown })).toEqual([]);
  console.log(countReasons(application.ends));
});
