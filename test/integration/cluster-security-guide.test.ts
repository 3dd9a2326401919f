/** The guide about the security of a cluster: its commands as printed, its steps as told. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assert, ok } from '../../src/base/index.ts';
import { readTlsMaterial, TlsIdentity } from '../../src/net/index.ts';
import { startPeer, type TestPeer } from '../../src/peer/testdata/test-peers.ts';
import { ROOT, requireProgram, temporaryFolder } from '../support/index.ts';

const GUIDE = readFileSync(join(ROOT, 'docs/guides/cluster-security.md'), 'utf8');
const [drawSecret = '', makeAuthority = '', makeNode = ''] = [...GUIDE.matchAll(/^```sh\n(.*?)^```/gms)].map(
  ([, block]) => block as string,
);

function run(folder: string, ...blocks: string[]): void {
  expect(requireProgram('openssl')).not.toBeNull();
  for (const block of blocks) execFileSync('sh', ['-ec', block], { cwd: folder, stdio: 'pipe' });
}

/** Whether `from` gets an answer of `to`. */
function talks(from: TestPeer, to: TestPeer): Promise<boolean> {
  const count = to.asked.items.length + 1;
  to.asked.atLeast(count).then(
    (all) => all[count - 1]?.reply({ type: 'done', index: 1, ballot: 1 }),
    () => {},
  );
  return new Promise((resolve) => {
    from.peers.ask(to.name, { type: 'add', member: 'http://x' }, ({ type }) => resolve(type === 'done'));
  });
}

it('draws secrets, and changes them without a moment of refusal', async () => {
  const folders = [temporaryFolder(), temporaryFolder()];
  const [old, next] = folders.map((folder) => {
    run(folder, drawSecret);
    const file = join(folder, 'cluster.secret');
    expect(statSync(file).mode & 0o077).toBe(0);
    return readFileSync(file, 'utf8').trim();
  }) as [string, string];
  expect(old).toMatch(/^[\w+/]{43}=$/);
  expect(next).not.toBe(old);
  const lists = [[old], [old, next], [next, old], [next]];
  const nodes = await Promise.all(lists.map((secrets) => startPeer({ secrets })));
  const talking = [];
  for (const one of nodes) talking.push(await Promise.all(nodes.map((other) => talks(one, other))));
  // Nodes that have taken a step meet those that have not; whoever is two steps behind may be refused.
  expect(talking).toEqual([
    [true, true, false, false],
    [true, true, true, false],
    [false, true, true, true],
    [false, false, true, true],
  ]);
});

it('makes certificates that nodes show each other', async () => {
  const folder = temporaryFolder();
  run(folder, makeAuthority, makeNode);
  const config = {
    certificates: [{ cert: join(folder, 'node.crt'), key: join(folder, 'node.key'), passphrase: null }],
    ...({ minVersion: '1.3', unknownName: 'default', clientCertificates: 'required' } as const),
    clientCa: join(folder, 'cluster-ca.crt'),
  };
  const read = (path: string) =>
    ok({ text: readFileSync(path, 'utf8'), readableByAll: (statSync(path).mode & 4) !== 0 });
  const { material, problems, warnings } = readTlsMaterial(config, read, Date.now());
  expect(problems).toEqual([]);
  // A browser would want a DNS name; nodes are content with an address.
  expect(warnings.filter((warning) => !warning.includes('has no DNS names'))).toEqual([]);
  assert(material !== null, 'the certificates are whole');
  const figures = { shaken: () => {}, failed: () => {}, progress: () => {} };
  const start = () => {
    const identity = new TlsIdentity(config, material, Buffer.alloc(48).toString('base64'));
    return startPeer({ scheme: 'https', tls: { identity, figures } });
  };
  const [a, b] = await Promise.all([start(), start()]);
  expect([await talks(a, b), await talks(b, a)]).toEqual([true, true]);
  const stranger = await startPeer();
  expect(await talks(stranger, b)).toBe(false);
});
