/**
 * Client certificates in their three ways: who comes in, and what the application hears of them.
 */
import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificatePair,
  cleanUpAfterwards,
  handshake,
  openWebSocket,
  request,
  startApplication,
  startNode,
  TestAuthority,
} from '../support/index.ts';

let authority: TestAuthority;
let server: CertificatePair;
let sensor: CertificatePair;
let stranger: CertificatePair;

beforeAll(() => {
  authority = new TestAuthority();
  server = authority.issue({ name: 'server', names: ['DNS:chat.example'] });
  sensor = authority.issue({
    name: 'sensor',
    names: ['URI:spiffe://chat.example/sensor-7'],
    subject: '/C=CH/O=A, B/CN=sensor-7',
  });
  stranger = new TestAuthority().issue({ name: 'stranger' });
});

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
/** What a client that says so itself might send. */
const FORGED = [
  ...['X-Arrokoth-Client-Cert-Verified', 'yes', 'X_Arrokoth_Client_Cert_Subject', 'CN=root'],
  ...['x-arrokoth-client-cert-fingerprint', '00'],
];

async function startBoth(mode: 'off' | 'optional' | 'required') {
  const application = await startApplication();
  const asked = mode === 'off' ? {} : { client_certificates: mode, client_ca: authority.root.cert };
  const node = await startNode({
    config: {
      callback: application.callback,
      tls: { certificates: [{ cert: server.cert, key: server.key }], ...asked },
      app: { listen: '127.0.0.1:0', tls: true },
      api: { listen: '127.0.0.1:0' },
    },
  });
  return { application, node, port: node.addresses.public.port };
}

const options = (pair: CertificatePair | null, more: ConnectionOptions = {}): ConnectionOptions => ({
  ca: authority.root.certPem,
  servername: 'chat.example',
  ...(pair === null ? {} : { cert: pair.certPem, key: pair.keyPem }),
  ...more,
});

/** The lines about certificates that the application got. */
function certificateLines(
  call: { readonly rawHeaders: readonly string[] } | undefined,
): Record<string, string> {
  const lines: Record<string, string> = {};
  const headers = call?.rawHeaders ?? [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (/cert/i.test(headers[at] as string)) lines[headers[at] as string] = headers[at + 1] as string;
  }
  return lines;
}

describe.each(VERSIONS)('over %s', (maxVersion) => {
  it('tells the application about a certificate that was verified', async () => {
    for (const mode of ['optional', 'required'] as const) {
      const { application, port } = await startBoth(mode);
      await openWebSocket({ port, tls: options(sensor, { maxVersion }), headers: FORGED });
      const [call] = await application.waitFor('connect', 1);
      const { fingerprint256 } = new X509Certificate(sensor.certPem);
      expect(certificateLines(call)).toEqual({
        'X-Arrokoth-Client-Cert-Verified': 'yes',
        'X-Arrokoth-Client-Cert-Fingerprint': fingerprint256.replaceAll(':', '').toLowerCase(),
        'X-Arrokoth-Client-Cert-Subject': 'CN=sensor-7,O=A\\, B,C=CH',
        'X-Arrokoth-Client-Cert-Names': 'URI:spiffe://chat.example/sensor-7',
      });
    }
  });

  it('refuses certificates of strangers, and says no to those without one where it must', async () => {
    const required = await startBoth('required');
    await expect(
      handshake({ port: required.port, tls: options(null, { maxVersion }) }).answered,
    ).rejects.toThrow();
    await expect(
      handshake({ port: required.port, tls: options(stranger, { maxVersion }) }).answered,
    ).rejects.toThrow();
    const optional = await startBoth('optional');
    await expect(
      handshake({ port: optional.port, tls: options(stranger, { maxVersion }) }).answered,
    ).rejects.toThrow();
    await openWebSocket({ port: optional.port, tls: options(null, { maxVersion }), headers: FORGED });
    const [call] = await optional.application.waitFor('connect', 1);
    expect(certificateLines(call)).toEqual({ 'X-Arrokoth-Client-Cert-Verified': 'no' });
    expect(required.application.calls('connect')).toEqual([]);
    const page = (await request({ url: `${required.node.addresses.api?.url}/metrics` })).text;
    expect(page).toMatch(/failures_total\{cause="client_certificate",worker="gateway\/0"\} 2$/m);
    expect(
      (
        await request({
          url: `${required.node.addresses.app?.url.replace('http', 'https')}/ping`,
          tls: options(null),
        })
      ).status,
    ).toBe(200);
  });

  it('lets nobody in with a ticket who would not come in without', async () => {
    const { application, node, port } = await startBoth('required');
    // The application's listener asks for no certificate, and gives tickets under the same keys.
    const session = await new Promise<Buffer>((resolve, reject) => {
      const socket = connect({
        port: node.addresses.app?.port,
        host: '127.0.0.1',
        ...options(null, { maxVersion }),
      });
      cleanUpAfterwards(() => {
        socket.destroy();
      });
      socket.on('session', resolve);
      socket.on('error', reject);
    });
    const client = handshake({ port, tls: options(null, { maxVersion, session }) });
    await expect(client.answered).rejects.toThrow();
    expect(application.calls('connect')).toEqual([]);
  });

  it('remembers the certificate of a session that is resumed', async () => {
    const { application, port } = await startBoth('required');
    const first = await openWebSocket({ port, tls: options(sensor, { maxVersion }) });
    const session = (first.socket as ReturnType<typeof connect>).getSession();
    const again = await openWebSocket({ port, tls: options(sensor, { maxVersion, session }) });
    expect((again.socket as ReturnType<typeof connect>).isSessionReused()).toBe(true);
    const calls = await application.waitFor('connect', 2);
    expect(certificateLines(calls[1])).toEqual(certificateLines(calls[0]));
  });
});

it('asks nobody where it is off', async () => {
  const { application, port } = await startBoth('off');
  await openWebSocket({ port, tls: options(stranger), headers: FORGED });
  expect(certificateLines((await application.waitFor('connect', 1))[0])).toEqual({});
});
