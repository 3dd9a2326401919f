/** Nodes that show each other certificates: who comes in, who does not, and how certificates are changed. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CertificatePair, request, TestAuthority } from '../../test/support/index.ts';
import { assert, failed, ok } from '../base/index.ts';
import type { TlsConfig } from '../config/index.ts';
import type { Answer, Request } from '../consensus/index.ts';
import { type FileReading, readTlsMaterial, TlsIdentity } from '../net/index.ts';
import { SENDER, startPeer, type TestPeer } from './testdata/test-peers.ts';

const READ: Request = { type: 'read', call: 1, ballot: 2, sender: SENDER };
const ANSWER: Answer = { type: 'read_answer', call: 1, ballot: 2, sender: SENDER, index: 9, master: null };
const TICKET_KEYS = Buffer.alloc(48).toString('base64');
const NAMES = ['IP:127.0.0.1', 'DNS:node.example'];
let authority: TestAuthority;
let node: CertificatePair;
let elsewhere: CertificatePair;
let stranger: CertificatePair;

beforeAll(() => {
  authority = new TestAuthority();
  node = authority.issue({ name: 'node', names: NAMES });
  elsewhere = authority.issue({ name: 'elsewhere', names: ['DNS:else.example'] });
  stranger = new TestAuthority(undefined, 'stranger').issue({ name: 'node', names: NAMES });
});

const read = (path: string): FileReading => {
  try {
    return ok({ text: readFileSync(path, 'utf8'), readableByAll: false });
  } catch {
    return failed('there is no such file');
  }
};

function materialOf({ cert, key }: CertificatePair, clientCertificates: TlsConfig['clientCertificates']) {
  const config: TlsConfig = {
    ...{ certificates: [{ cert, key, passphrase: null }], minVersion: '1.2', unknownName: 'default' },
    ...{ clientCertificates, clientCa: authority.root.cert },
  };
  const { material, problems } = readTlsMaterial(config, read, Date.now());
  assert(material !== null, problems.join());
  return { config, material };
}

async function start(pair: CertificatePair, asks: TlsConfig['clientCertificates'] = 'required') {
  const { config, material } = materialOf(pair, asks);
  const identity = new TlsIdentity(config, material, TICKET_KEYS);
  const failures: string[] = [];
  const figures = {
    shaken: () => {},
    failed: (failure: string) => void failures.push(failure),
    progress: () => {},
  };
  const peer = await startPeer({ scheme: 'https', tls: { identity, figures } });
  return { ...peer, identity, failures };
}

/** Whether a question of `from` is answered by `to`. */
async function talk(from: TestPeer, to: TestPeer, call: number): Promise<boolean> {
  const failed = new Promise<boolean>((resolve) => {
    from.peers.ask(to.name, { type: 'add', member: 'http://x' }, ({ type }) => resolve(type === 'done'));
  });
  from.peers.send(to.name, { ...READ, call });
  to.asked
    .first(({ request: wish }) => wish.type === 'add')
    .then(({ reply }) => reply({ type: 'done', index: 1, ballot: 1 }));
  if (!(await failed)) return false;
  await to.received.first(({ message }) => message.call === call);
  to.peers.send(from.name, { ...ANSWER, call });
  await from.received.first(({ message }) => message.call === call);
  return true;
}

describe('a node with a certificate of the cluster', () => {
  it('calls and is called', async () => {
    const [a, b] = await Promise.all([start(node), start(node)]);
    expect(await talk(a, b, 1)).toBe(true);
    expect(b.failures).toEqual([]);
  });

  it('is not called by one whose certificate is of somebody else', async () => {
    const [a, b] = await Promise.all([start(stranger), start(node)]);
    expect(await talk(a, b, 1)).toBe(false);
    expect(b.received.items).toEqual([]);
  });

  it('does not believe a node that shows a certificate of somebody else, or of another name', async () => {
    const a = await start(node);
    expect(await talk(a, await start(stranger, 'off'), 1)).toBe(false);
    expect(await talk(a, await start(elsewhere), 2)).toBe(false);
  });

  it('answers nobody without one', async () => {
    const b = await start(node);
    const tls = { ca: authority.root.certPem };
    await expect(request({ url: `${b.name}/_clusterc/c/submit`, body: '{}', tls })).rejects.toThrow();
    await expect(
      request({ url: `http://127.0.0.1:${b.port}/_clusterc/c/submit`, body: '{}' }),
    ).resolves.toMatchObject({
      ...{ status: 400, text: 'This port speaks TLS: use https:// or wss://.\n' },
    });
    const shown = { ...tls, cert: node.certPem, key: node.keyPem };
    const answered = request({ url: `${b.name}/_clusterc/c/submit`, body: '{}', tls: shown });
    (await b.foreign.first(() => true)).reply({ status: 200, accepted: true, error: null });
    expect((await answered).text).toHaveLength(44);
  });

  it('shows and trusts other certificates from the next connection on', async () => {
    const [a, b] = await Promise.all([start(node), start(stranger, 'off')]);
    expect(await talk(a, b, 1)).toBe(false);
    b.identity.replaceMaterial(materialOf(node, 'off').material);
    expect(await talk(a, b, 2)).toBe(true);
  });
});
