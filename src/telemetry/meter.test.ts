import { describe, expect, test } from 'vitest';
import type { Labels } from '../base/index.ts';
import { createMeter, LABEL_COMBINATIONS_MAX, renderSnapshots } from './meter.ts';

const quiet = (worker: string) => createMeter({ worker, processFigures: false });

describe('createMeter', () => {
  test('counts, observes and reads; samples bear the worker', async () => {
    const { meter, snapshot } = quiet('gateway/0');
    const sends = meter.counter({ name: 'arrokoth_sends_total', help: 'Sends.', labels: ['result'] });
    const plain = meter.counter({ name: 'arrokoth_plain_total', help: 'Plain.' });
    const took = meter.histogram({ name: 'arrokoth_took_seconds', help: 'Took.', buckets: [1, 5] });
    let open = 3;
    meter.observed({ name: 'arrokoth_open', help: 'Open.', type: 'gauge' }, () => open);
    meter.observed({ name: 'arrokoth_seen_total', help: 'Seen.', type: 'counter' }, () => 7);
    meter.observedEach({ name: 'arrokoth_ends', help: 'Ends.', labels: ['place'] }, () => [
      [{ place: '0' }, 8],
      [{ place: '1' }, open],
    ]);
    sends.add(1, { result: 'ok' });
    sends.add(2, { result: 'ok' });
    sends.add(1, { result: 'failed' });
    plain.add(4);
    took.observe(2);
    open = 5;
    const text = await renderSnapshots([await snapshot()]);
    expect(text).toContain('# TYPE arrokoth_sends_total counter');
    expect(text).toContain('arrokoth_sends_total{result="ok",worker="gateway/0"} 3');
    expect(text).toContain('arrokoth_sends_total{result="failed",worker="gateway/0"} 1');
    expect(text).toContain('arrokoth_plain_total{worker="gateway/0"} 4');
    expect(text).toContain('arrokoth_took_seconds_bucket{le="5",worker="gateway/0"} 1');
    expect(text).toContain('arrokoth_took_seconds_bucket{le="1",worker="gateway/0"} 0');
    expect(text).toContain('arrokoth_ends{place="0",worker="gateway/0"} 8');
    expect(text).toContain('arrokoth_ends{place="1",worker="gateway/0"} 5');
    expect(text).toContain('arrokoth_open{worker="gateway/0"} 5');
    expect(text).toContain('arrokoth_seen_total{worker="gateway/0"} 7');
  });

  test('samples with labels are read anew each time, and those that are gone are left out', async () => {
    const { meter, snapshot } = quiet('w');
    let samples: (readonly [Labels, number])[] = [
      [{ backend: 'a' }, 1],
      [{ backend: 'b' }, 2],
    ];
    const head = { name: 'arrokoth_each', help: 'Each.', labels: ['backend'] };
    meter.observedEach(head, () => samples);
    expect(await renderSnapshots([await snapshot()])).toContain('arrokoth_each{backend="b",worker="w"} 2');
    samples = samples.slice(0, 1);
    const text = await renderSnapshots([await snapshot()]);
    expect(text).toContain('arrokoth_each{backend="a",worker="w"} 1');
    expect(text).not.toContain('backend="b"');
  });

  test('reading twice counts once', async () => {
    const { meter, snapshot } = quiet('w');
    meter.counter({ name: 'a_total', help: 'A.', labels: ['x'] }).add(2, { x: '1' });
    await snapshot();
    expect(await renderSnapshots([await snapshot()])).toContain('a_total{x="1",worker="w"} 2');
  });

  test('label values beyond the bound are counted together', async () => {
    const { meter, snapshot } = quiet('w');
    const counter = meter.counter({ name: 'a_total', help: 'A.', labels: ['x'] });
    const histogram = meter.histogram({ name: 'b', help: 'B.', labels: ['x'], buckets: [1] });
    for (let index = 0; index < LABEL_COMBINATIONS_MAX + 10; index++) {
      counter.add(1, { x: `${index}` });
      histogram.observe(1, { x: `${index}` });
    }
    const text = await renderSnapshots([await snapshot()]);
    expect(text.match(/^a_total\{/gm)).toHaveLength(LABEL_COMBINATIONS_MAX + 1);
    expect(text).toContain('a_total{x="other",worker="w"} 10');
    expect(text).toContain('b_count{x="other",worker="w"} 10');
  });

  test('figures of several processes stand side by side after a trip through JSON', async () => {
    const snapshots = await Promise.all(
      ['gateway/0', 'gateway/1'].map(async (worker) => {
        const { meter, snapshot } = createMeter({ worker });
        meter.counter({ name: 'a_total', help: 'A.' }).add(1);
        return JSON.parse(JSON.stringify(await snapshot()));
      }),
    );
    const text = await renderSnapshots(snapshots);
    for (const worker of ['gateway/0', 'gateway/1']) {
      expect(text).toContain(`a_total{worker="${worker}"} 1`);
      expect(text).toMatch(new RegExp(`process_start_time_seconds\\{worker="${worker}"\\} \\d+`));
      expect(text).toMatch(new RegExp(`nodejs_eventloop_lag_p99_seconds\\{worker="${worker}"\\} `));
    }
    expect(text).not.toContain('nodejs_active_handles');
    expect(text.match(/^# HELP a_total /gm)).toHaveLength(1);
  });
});
