/**
 * A minute of numbered broadcasts to 10,000 connections in two client processes: everybody sees
 * everything, once, in order, and all in the same order; and a frame that is lost is noticed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  AwaitedList,
  cleanUpAfterwards,
  keepAliveAgent,
  type RunningNode,
  request,
} from '../support/index.ts';
import { AwaitedNumber } from './awaited-number.ts';
import { BroadcastOracle, type BroadcastVerdict } from './broadcast-oracle.ts';
import type { DroppedFrame, ReceiverOrder, ReceiverReport } from './clients/receiver-orders.ts';
import { CountingApplication } from './counting-application.ts';
import { startWatchedNode } from './watched-node.ts';

const RECEIVERS = fileURLToPath(new URL('clients/receivers.ts', import.meta.url));
const PROCESSES = 2;
const PUBLISHERS = 4;
/** Frames that publishers may be ahead of the slowest client. */
const AHEAD_MAX = 64;
const CHANNEL = 'news';

/** A process of clients. */
class ReceiverProcess {
  readonly reached = new AwaitedNumber('frames at every client');
  readonly #child: ChildProcess;
  readonly #reports = new AwaitedList<ReceiverReport>('reports of the clients');

  constructor() {
    this.#child = fork(RECEIVERS, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
    this.#child.on('message', (message) => {
      const report = message as ReceiverReport;
      if (report.type === 'reached') this.reached.set(report.frames);
      else this.#reports.push(report);
    });
    this.#child.on('exit', (code) => this.#reports.end(new Error(`the clients ended with ${code}`)));
    cleanUpAfterwards(() => {
      this.#child.kill('SIGKILL');
    });
  }

  async open(order: Omit<Extract<ReceiverOrder, { type: 'open' }>, 'type'>): Promise<void> {
    this.#send({ type: 'open', ...order });
    await this.#reports.first(({ type }) => type === 'opened', 120_000);
  }

  async judge(published: readonly number[]): Promise<BroadcastVerdict & { readonly lost: number }> {
    this.#send({ type: 'judge', published });
    const report = await this.#reports.first(({ type }) => type === 'verdict', 120_000);
    const { verdict, lost } = report as Extract<ReceiverReport, { type: 'verdict' }>;
    return { ...verdict, lost };
  }

  #send(order: ReceiverOrder): void {
    this.#child.send(order);
  }
}

/** Publishes from several keep-alive connections, each paced by its answers, until `goesOn` says no. */
async function publish(
  node: RunningNode,
  receivers: readonly ReceiverProcess[],
  expectation: { readonly delivered: number; readonly goesOn: (frames: number) => boolean },
): Promise<number[]> {
  const published = new Array<number>(PUBLISHERS).fill(0);
  let frames = 0;
  const lane = async (publisher: number): Promise<void> => {
    const agent = keepAliveAgent();
    while (expectation.goesOn(frames)) {
      frames++;
      const number = (published[publisher] as number) + 1;
      published[publisher] = number;
      // Without this, clients that share two cores with the node could fall behind without end.
      await Promise.all(receivers.map(({ reached }) => reached.reaches(frames - AHEAD_MAX)));
      const answer = await request({
        url: `${node.addresses.public.url}/send`,
        headers: ['X-Kuiperbelt-Channel', CHANNEL],
        body: `${publisher}:${number}`,
        agent,
      });
      const channels = [{ channel: CHANNEL, delivered: expectation.delivered }];
      expect(answer.json()).toEqual({ channels, result: 'OK' });
    }
    agent.destroy();
  };
  await Promise.all(published.map((_, publisher) => lane(publisher)));
  return published;
}

interface Run {
  readonly workers: number;
  readonly connections: number;
  readonly goesOn: (frames: number) => boolean;
  readonly drop?: DroppedFrame;
}

/** Everything that the clients of one run saw; `drop` is for the last of the processes. */
async function broadcast(run: Run) {
  const application = await CountingApplication.start();
  const node = await startWatchedNode(application, { workers: run.workers });
  const processes = Array.from({ length: PROCESSES }, () => new ReceiverProcess());
  const receivers = run.connections / PROCESSES;
  const { port } = node.addresses.public;
  const common = { port, channel: CHANNEL, receivers, publishers: PUBLISHERS };
  await Promise.all(
    processes.map((one, index) => {
      const drop = index === PROCESSES - 1 ? (run.drop ?? null) : null;
      return one.open({ ...common, name: `process-${index}`, drop });
    }),
  );
  const published = await publish(node, processes, { delivered: run.connections, goesOn: run.goesOn });
  const verdicts = await Promise.all(processes.map((one) => one.judge(published)));
  await node.stop();
  const count = published.reduce((sum, one) => sum + one, 0);
  return { count, published, verdicts };
}

/** What is wrong, in words; empty when nothing is. */
function broadcastFaults({ count, verdicts }: Awaited<ReturnType<typeof broadcast>>, connections: number) {
  const faults: string[] = [];
  verdicts.forEach((verdict, process) => {
    for (const fault of verdict.faults) faults.push(`process ${process}: ${JSON.stringify(fault)}`);
    if (verdict.faultCount > verdict.faults.length) faults.push(`${verdict.faultCount} faults in all`);
    if (verdict.behind > 0) faults.push(`process ${process}: ${verdict.behind} clients are behind`);
    if (verdict.lost > 0) faults.push(`process ${process}: ${verdict.lost} clients were disconnected`);
    if (verdict.unreadable > 0) faults.push(`process ${process}: ${verdict.unreadable} foreign messages`);
  });
  const orders = new Set(verdicts.flatMap((verdict) => verdict.orders));
  if (orders.size !== 1) faults.push(`${orders.size} orders were seen`);
  const messages = verdicts.reduce((sum, verdict) => sum + verdict.messages, 0);
  if (messages !== count * connections) faults.push(`${messages} messages instead of ${count * connections}`);
  return faults;
}

describe('10,000 connections', () => {
  it.each([1, 2])('see a minute of broadcasts without gap or duplicate, with %i workers', async (workers) => {
    const connections = 10_000;
    let untilMs = Number.POSITIVE_INFINITY;
    const goesOn = (frames: number) => {
      if (frames === 0) untilMs = performance.now() + 60_000;
      return performance.now() < untilMs;
    };
    const run = await broadcast({ workers, connections, goesOn });
    console.log(`workers: ${workers}: ${run.count} broadcasts, ${run.count * connections} deliveries`);
    expect(broadcastFaults(run, connections)).toEqual([]);
    expect(run.published.every((count) => count > 0)).toBe(true);
  });
});

describe('the check', () => {
  it('fails when one frame of one client is dropped', async () => {
    const connections = 1_000;
    const drop = { receiver: 123, frame: 77 };
    const run = await broadcast({ workers: 2, connections, goesOn: (frames) => frames < 400, drop });
    const [first, second, ...more] = broadcastFaults(run, connections);
    expect(first).toMatch(/^process 1: {"receiver":123,"publisher":\d,"expected":(\d+),"got":\d+}$/);
    expect(second).toBe('2 orders were seen');
    expect(more).toEqual([`${400 * connections - 1} messages instead of ${400 * connections}`]);
  });

  it('sees a repetition, an exchange and an absence', () => {
    const see = (...texts: string[]) => {
      const oracle = new BroadcastOracle(1, 2);
      for (const text of texts) oracle.message(0, text);
      const { faultCount, behind, unreadable } = oracle.verdict([2, 1]);
      return { faultCount, behind, unreadable };
    };
    expect(see('0:1', '1:1', '0:2')).toEqual({ faultCount: 0, behind: 0, unreadable: 0 });
    expect(see('0:1', '1:1', '0:1', '0:2')).toEqual({ faultCount: 1, behind: 0, unreadable: 0 });
    expect(see('0:2', '0:1', '1:1')).toEqual({ faultCount: 2, behind: 1, unreadable: 0 });
    expect(see('0:1', '0:2')).toEqual({ faultCount: 0, behind: 1, unreadable: 0 });
    expect(see('0:1', '0:2', '1:1', 'hello')).toEqual({ faultCount: 0, behind: 0, unreadable: 1 });
  });
});
