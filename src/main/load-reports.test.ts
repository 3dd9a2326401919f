import { expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import { type FromWorker, NO_STATS } from '../process/index.ts';
import { LoadReports } from './load-reports.ts';

type Mutable = { -readonly [Name in keyof typeof NO_STATS]: number };

/** Reports of a worker whose counters the test sets. */
function setUp(alone = false) {
  const time = new FakeTime();
  const sent: FromWorker[] = [];
  const stats: Mutable = { ...NO_STATS };
  const reports = new LoadReports({
    timers: time,
    read: () => ({ stats: { ...stats } }),
    send: (message) => sent.push(message),
    alone,
  });
  return { time, sent, stats, reports };
}

test('LoadReports joins changes and tells the newest counters', () => {
  const { time, sent, stats, reports } = setUp();
  for (; stats.connections < 1_000; stats.connections++) reports.changed();
  expect(sent).toEqual([]);
  time.advance(LIMITS.loadReportMs);
  expect(sent).toEqual([{ type: 'load', stats: { ...NO_STATS, connections: 1_000 } }]);
  time.advance(10_000);
  expect(sent).toHaveLength(1);
  reports.changed();
  time.advance(LIMITS.loadReportMs);
  expect(sent).toHaveLength(2);
});

test('LoadReports tells at once what others are about to learn, and nothing twice', () => {
  const { sent, stats, reports } = setUp();
  reports.now();
  expect(sent).toEqual([]);
  stats.totalMessages++;
  reports.changed();
  reports.now();
  expect(sent).toEqual([{ type: 'load', stats }]);
});

test('LoadReports tells connections at once and a stream of messages now and then', () => {
  const { time, sent, stats, reports } = setUp();
  const stream = (lastingMs: number): void => {
    for (let passedMs = 0; passedMs < lastingMs; passedMs += LIMITS.loadReportMs) {
      stats.totalMessages++;
      reports.changed();
      time.advance(LIMITS.loadReportMs);
    }
  };
  stream(LIMITS.loadReportMs);
  expect(sent).toHaveLength(1);
  stream(LIMITS.messageReportMs * 10 - LIMITS.loadReportMs);
  expect(sent.length).toBeGreaterThanOrEqual(9);
  expect(sent.length).toBeLessThanOrEqual(11);
  const before = sent.length;
  stats.connections++;
  stream(LIMITS.loadReportMs);
  expect(sent).toHaveLength(before + 1);
  stream(LIMITS.loadReportMs);
  time.advance(LIMITS.messageReportMs);
  expect(sent.at(-1)).toEqual({ type: 'load', stats });
});

test('a worker alone reports connections no sooner than messages, and loses none of them', () => {
  const { time, sent, stats, reports } = setUp(true);
  for (let step = 0; step < 8; step++) {
    stats.connections++;
    reports.changed();
    time.advance(LIMITS.loadReportMs);
  }
  expect(sent).toHaveLength(1);
  time.advance(LIMITS.messageReportMs);
  expect(sent.at(-1)).toMatchObject({ type: 'load', stats: { connections: 8 } });
  expect(sent).toHaveLength(2);
});
