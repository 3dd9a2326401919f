/**
 * The operator's listener of a real node: what a probe, a scraper and a stranger see.
 */
import { expect, test } from 'vitest';
import { type LogLine, request, startNode, TestAuthority } from '../support/index.ts';
import { headsOf, metricTable } from '../support/metric-heads.ts';

const api = { listen: '127.0.0.1:0' };
/** What is off has no figures, and the reference shows all. */
const EVERYTHING_ON = {
  limits: { connects_per_address: 1_000, messages_per_connection: 1_000 },
  trusted_proxies: ['127.0.0.1'],
  proxy_protocol: 'required',
  compression: { enabled: true },
  upstream: { backends: 'http://127.0.0.1:9' },
};

function someTls(): object {
  const { cert, key } = new TestAuthority().issue({ name: 'node', names: ['DNS:node.example'] });
  return { certificates: [{ cert, key }] };
}

function renderReference(page: string): string {
  const heads = headsOf(page);
  const ours = heads.filter(({ name }) => name.startsWith('arrokoth_'));
  const nodes = heads.filter(({ name }) => !name.startsWith('arrokoth_'));
  return `# Metrics

<!-- Made from a node's answer; \`npx vitest run test/integration/operators-listener -u\` writes it anew. -->

\`GET /metrics\` on the operator's listener (\`api.listen\`) answers in Prometheus' text format with the
figures of all workers of the node. Every sample has the label \`worker\`: \`gateway/0\`, \`api/0\` and so
on; sums are for the reader to make (\`sum without (worker) (rate(...))\`), so that the restart of one
worker looks like the reset of its own counters. A worker that does not answer within a second is left
out and shown by \`arrokoth_worker_up\`. Figures about what is off are not there.
A label has at most 64 combinations of values a metric; what goes beyond is counted under \`other\`.
The figures of the replicated log are on [a page of their own](log-metrics.md).

${metricTable(ours)}
## Of the processes

Figures of Node.js about each worker process. Those that would walk all open sockets are left out.

${metricTable(nodes)}`;
}

test('a node is alive, ready, and shows the figures of all its workers', async () => {
  const node = await startNode({ config: { workers: 2, api, tls: someTls(), ...EVERYTHING_ON } });
  const url = node.addresses.api?.url ?? '';
  expect(await request({ url: `${url}/healthz` })).toMatchObject({ status: 200, text: '{"status":"ok"}\n' });
  expect(await request({ url: `${url}/readyz` })).toMatchObject({
    status: 200,
    text: '{"status":"ready"}\n',
  });
  expect((await request({ url: `${url}/nothing` })).status).toBe(404);
  expect((await request({ url: `${url}/metrics`, method: 'DELETE' })).status).toBe(405);
  const page = await request({ url: `${url}/metrics` });
  expect(page.status).toBe(200);
  expect(page.header('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const worker of ['gateway/0', 'gateway/1', 'api/0']) {
    expect(page.text).toMatch(new RegExp(`^process_cpu_seconds_total\\{worker="${worker}"\\} `, 'm'));
  }
  expect(page.text).toContain('arrokoth_worker_up{worker="gateway/1"} 1\n');
  for (const { name, type, help } of headsOf(page.text)) {
    expect(type, name).toMatch(/^(counter|gauge|histogram|summary)$/);
    expect(help, name).not.toMatch(/\||\\n/);
  }
  await expect(renderReference(page.text)).toMatchFileSnapshot('../../docs/reference/metrics.md');
});

test('without its token a stranger learns nothing', async () => {
  const node = await startNode({ config: { api: { ...api, token: 'tulip' } } });
  const url = node.addresses.api?.url ?? '';
  for (const path of ['/healthz', '/readyz', '/metrics', '/nothing']) {
    const refused = await request({ url: url + path });
    expect(refused.status).toBe(401);
    expect(refused.header('WWW-Authenticate')).toMatch(/^Bearer/);
  }
  const headers = ['Authorization', 'Bearer tulip'];
  expect((await request({ url: `${url}/readyz`, headers })).status).toBe(200);
});

test('a replaced worker is missed at first and counted as a new run afterwards', async () => {
  const node = await startNode({ config: { api } });
  const url = `${node.addresses.api?.url}`;
  const before = await request({ url: `${url}/metrics` });
  const run = Number(/^arrokoth_worker_run\{worker="gateway\/0"\} (\d+)$/m.exec(before.text)?.[1]);
  const isGateway = (line: LogLine): boolean => line.msg === 'worker ready' && line.kind === 'gateway';
  const first = await node.waitForLog(isGateway);
  expect(first.run).toBe(run);
  process.kill(Number(first.workerPid), 'SIGKILL');
  await node.waitForLog((line) => isGateway(line) && line.run === run + 1);
  await expect
    .poll(async () => (await request({ url: `${url}/metrics` })).text, { timeout: 10_000 })
    .toContain(`arrokoth_worker_run{worker="gateway/0"} ${run + 1}\n`);
  expect((await request({ url: `${url}/readyz` })).status).toBe(200);
});
