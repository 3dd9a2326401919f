import { expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import { type FromWorker, NO_STATS } from '../process/index.ts';
import { LoadReports } from './load-reports.ts';

test('LoadReports joins changes and tells the newest counters', () => {
  const time = new FakeTime();
  const sent: FromWorker[] = [];
  let connections = 0;
  const reports = new LoadReports({
    timers: time,
    read: () => ({ stats: { ...NO_STATS, connections } }),
    send: (message) => sent.push(message),
  });
  for (; connections < 1_000; connections++) reports.changed();
  expect(sent).toEqual([]);
  time.advance(LIMITS.loadReportMs);
  expect(sent).toEqual([{ type: 'load', stats: { ...NO_STATS, connections: 1_000 } }]);
  time.advance(10_000);
  expect(sent).toHaveLength(1);
  reports.changed();
  time.advance(LIMITS.loadReportMs);
  expect(sent).toHaveLength(2);
});
