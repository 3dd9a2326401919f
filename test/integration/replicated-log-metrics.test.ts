/** The figures of a log as Prometheus reads them, and the page that lists them. */
import { expect, it } from 'vitest';
import { LogCluster } from '../support/log-cluster.ts';
import { headsOf, metricTable } from '../support/metric-heads.ts';

it('shows what happened, and each metric has its line in the reference', async () => {
  const cluster = await LogCluster.ofVoters(3);
  const master = await cluster.master();
  for (let round = 0; round < 3; round++) await cluster.log(master).submit([`w${round}`, 'undecodable']);
  await cluster.log(master).read();
  const page = await cluster.log(master).metrics();
  for (const sample of [
    'arrokoth_log_is_master{worker="log"} 1',
    'arrokoth_log_submissions_total{result="committed",worker="log"} 3',
    'arrokoth_log_reads_total{result="ready",worker="log"} 1',
    'arrokoth_log_undecodable_changes_total{worker="log"} 3',
    'arrokoth_log_members{role="voter",worker="log"} 3',
  ]) {
    expect(page).toContain(`${sample}\n`);
  }
  expect(Number(/^arrokoth_log_save_seconds_count\{.*\} (\d+)$/m.exec(page)?.[1])).toBeGreaterThan(3);
  const reference = `# Metrics of the replicated log

<!-- Made from a log's answer; \`npx vitest run test/integration/replicated-log-metrics -u\`
writes it anew. -->

\`metrics()\` of a [replicated log](../guides/replicated-log.md) answers in Prometheus' text format, and
so does \`GET /metrics\` of [the example](../../examples/replicated-kv/README.md). Every sample has the
label \`worker="log"\`.

${metricTable(headsOf(page))}`;
  await expect(reference).toMatchFileSnapshot('../../docs/reference/log-metrics.md');
});
