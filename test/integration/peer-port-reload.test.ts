/** Secrets and certificates of a replicated log that are replaced while its nodes run. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { cleanUpAfterwards, TestAuthority } from '../support/index.ts';
import { LogCluster } from '../support/log-cluster.ts';

/** Whether all members take part: each has what was submitted last, and reads are confirmed by the others. */
async function goesOn(cluster: LogCluster, word: string): Promise<void> {
  await cluster.log(await cluster.follower()).submit([word]);
  for (const number of cluster.numbers) await cluster.log(number).read();
  for (const number of cluster.numbers) expect(cluster.words(number)).toContain(word);
}

it('changes the secret in three steps, without a restart and without a refusal', async () => {
  const cluster = await LogCluster.ofVoters(3, { secrets: ['old'] });
  const master = await cluster.master();
  const { ballot } = cluster.log(master).status();
  let step = 0;
  for (const secrets of [['old', 'new'], ['new', 'old'], ['new']]) {
    for (const number of cluster.numbers) cluster.log(number).replaceSecrets(secrets);
    await goesOn(cluster, `after step ${++step}`);
  }
  const page = await cluster.log(master).metrics();
  expect(page).not.toMatch(/^arrokoth_peer_auth_failures_total/m);
  expect(cluster.log(await cluster.master()).status().ballot).toBe(ballot);
  // Who has slept through it is a stranger now.
  const late = await cluster.follower();
  cluster.log(late).replaceSecrets(['old']);
  await cluster.until(() => cluster.member(late).lines.messages('warn').join().includes('was refused'));
});

it('keeps its secrets when the new ones would open the port to everybody', async () => {
  const cluster = await LogCluster.make();
  const options = { secrets: ['one'], listen: { host: '0.0.0.0', port: cluster.port } };
  const { log } = await cluster.start(1, { ...options, initMaster: true });
  expect(() => log.replaceSecrets([])).toThrow(expect.objectContaining({ code: 'CLUSTER_PORT_OPEN' }));
  await log.submit(['still']);
  expect((await fetch(`${cluster.address(1)}/_clusterc/words/submit`, { method: 'POST' })).status).toBe(401);
});

/** The name in the certificate that a member shows. */
function shownBy(cluster: LogCluster, number: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: cluster.port, host: `127.0.0.${number}`, rejectUnauthorized: false };
    const socket = connect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
    cleanUpAfterwards(() => void socket.destroy());
  });
}

/** As certbot does it: a new file takes the name of the old one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

it('shows new certificates as their files come, and keeps the old over broken ones', async () => {
  const authority = new TestAuthority();
  const names = ['IP:127.0.0.1', 'IP:127.0.0.2', 'IP:127.0.0.3'];
  const issue = (name: string) => authority.issue({ name, names, subject: `/CN=${name}` });
  const [cert, key] = [join(authority.folder, 'live.crt'), join(authority.folder, 'live.key')];
  const show = (name: string): void => {
    const pair = issue(name);
    replace(cert, pair.certPem);
    replace(key, pair.keyPem);
  };
  show('first');
  const cluster = await LogCluster.make();
  cluster.scheme = 'https';
  await cluster.found(3, { tls: { cert, key, ca: authority.root.cert } });
  await goesOn(cluster, 'with the first');
  expect(await shownBy(cluster, 1)).toBe('first');
  show('second');
  for (const number of cluster.numbers)
    await expect.poll(() => shownBy(cluster, number), { timeout: 20_000 }).toBe('second');
  await goesOn(cluster, 'with the second');
  replace(cert, 'no certificate');
  await cluster.until(() => cluster.member(2).lines.messages('error').join().includes('cannot be used'));
  expect(await shownBy(cluster, 2)).toBe('second');
  await goesOn(cluster, 'with the second still');
  expect(await cluster.log(2).metrics()).toMatch(
    /arrokoth_tls_reloads_total\{outcome="failed",worker="log"\} 1/,
  );
});
