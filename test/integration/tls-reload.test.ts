/**
 * Certificates that are replaced while a node serves: as Kubernetes, certbot and people do it, and as
 * it goes wrong.
 */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import {
  type CertificatePair,
  cleanUpAfterwards,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
  TestAuthority,
} from '../support/index.ts';

const SHOWN = 'new certificates are shown from now on';
const REFUSED = 'the new certificates cannot be used; the old ones stay';

/** A node of two workers whose certificate can be replaced. */
async function startBoth() {
  const authority = new TestAuthority();
  let issued = 0;
  const issue = () => authority.issue({ name: `v${++issued}`, names: [`DNS:v${issued}.example`] });
  const first = issue();
  const cert = join(authority.folder, 'live.crt');
  const key = join(authority.folder, 'live.key');
  replace(cert, first.certPem);
  replace(key, first.keyPem);
  const application = await startApplication();
  const node = await startNode({
    config: {
      callback: application.callback,
      workers: 2,
      tls: { certificates: [{ cert, key }] },
      api: { listen: '127.0.0.1:0' },
    },
  });
  const tls = { ca: authority.root.certPem, checkServerIdentity: () => undefined };
  return { authority, issue, cert, key, node, port: node.addresses.public.port, tls };
}

/** As certbot does it: a new file takes the name of the old one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** The name in the certificate that a new client is shown. */
function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
    cleanUpAfterwards(() => {
      socket.destroy();
    });
  });
}

/** Waits until each of the workers has logged the line `count` times. */
const told = (node: RunningNode, msg: string, count: number) =>
  node.log.atLeast(2 * count, (line) => line.msg === msg, 40_000);

const metrics = async (node: RunningNode) =>
  (await request({ url: `${node.addresses.api?.url}/metrics` })).text;

it('shows a new certificate to new clients, and keeps those that are there', async () => {
  const { node, port, issue, cert, key, tls } = await startBoth();
  const client = await openWebSocket({ port, tls, path: '/connect?key=ada' });
  const before = await metrics(node);
  const second = issue();
  replace(cert, second.certPem);
  replace(key, second.keyPem);
  await told(node, SHOWN, 1);
  expect(await shownAt(port)).toBe('v2.example');
  const url = `https://127.0.0.1:${port}/send`;
  await request({ url, tls, headers: ['X-Kuiperbelt-Session', 'ada'], body: 'still here' });
  expect(await client.nextText()).toBe('still here');
  const after = await metrics(node);
  for (const worker of ['gateway/0', 'gateway/1']) {
    expect(after).toContain(`arrokoth_tls_reloads_total{outcome="ok",worker="${worker}"} 1\n`);
    expect(after).not.toContain('outcome="failed"');
    const expiry = `arrokoth_tls_certificate_expiry_timestamp_seconds{certificate="0",worker="${worker}"} `;
    expect(before).toContain(expiry);
    expect(after).toContain(expiry);
  }
});

it('follows a folder of symbolic links, as Kubernetes replaces them', async () => {
  const authority = new TestAuthority();
  const { folder } = authority;
  const put = (version: string): CertificatePair => {
    const pair = authority.issue({ name: version, names: [`DNS:${version}.example`] });
    mkdirSync(join(folder, `..${version}`));
    writeFileSync(join(folder, `..${version}`, 'tls.crt'), pair.certPem);
    writeFileSync(join(folder, `..${version}`, 'tls.key'), pair.keyPem);
    symlinkSync(`..${version}`, join(folder, '..data.new'));
    renameSync(join(folder, '..data.new'), join(folder, '..data'));
    return pair;
  };
  put('one');
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name));
  const certificates = [{ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }];
  const node = await startNode({ config: { tls: { certificates } } });
  expect(await shownAt(node.addresses.public.port)).toBe('one.example');
  put('two');
  await node.log.first((line) => line.msg === SHOWN, 40_000);
  expect(await shownAt(node.addresses.public.port)).toBe('two.example');
});

it('goes on with the old ones while the new ones do not fit, in a new worker, too', async () => {
  const { node, port, issue, cert, key } = await startBoth();
  const { certPem, keyPem } = issue();
  // Torn in half, as a full disk leaves it, and written in place.
  writeFileSync(cert, certPem.slice(0, certPem.length / 2));
  const lines = await told(node, REFUSED, 1);
  expect(lines[0]).toMatchObject({ level: 'error', code: 'TLS_UNUSABLE' });
  expect(JSON.stringify(lines)).not.toContain(readFileSync(key, 'utf8').split('\n')[1]);
  expect(await shownAt(port)).toBe('v1.example');
  expect(await metrics(node)).toContain(
    'arrokoth_tls_reloads_total{outcome="failed",worker="gateway/1"} 1\n',
  );
  const ready = node.log.items.filter((line) => line.msg === 'worker ready').length;
  for (const pid of node.workers()) process.kill(pid, 'SIGKILL');
  await node.log.atLeast(ready + 3, (line) => line.msg === 'worker ready', 40_000);
  expect(await shownAt(port)).toBe('v1.example');
  replace(key, keyPem);
  replace(cert, certPem);
  await told(node, SHOWN, 1);
  expect(await shownAt(port)).toBe('v2.example');
});
