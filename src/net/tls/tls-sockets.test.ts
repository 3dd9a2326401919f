/**
 * Handshakes of one listener with real sockets: slow ones, many of them, tickets, and what a fan-out
 * looks like in the records of TLS.
 */
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AwaitedList,
  type CertificatePair,
  cleanUpAfterwards,
  handshake,
  openWebSocket,
  TestAuthority,
} from '../../../test/support/index.ts';
import type { TlsConfig } from '../../config/index.ts';
import { startServer } from '../testdata/test-server.ts';
import type { HttpResponse } from '../types.ts';
import { encodeFrame } from '../websocket/frame.ts';
import { TlsIdentity } from './tls-identity.ts';
import type { TlsFigures } from './tls-sockets.ts';

const KEYS = Buffer.alloc(48, 1).toString('base64');
const HALF_OPEN = 200;
let authority: TestAuthority;
let pair: CertificatePair;

beforeAll(() => {
  authority = new TestAuthority();
  pair = authority.issue({ name: 'chat', names: ['DNS:chat.example'] });
});

async function startTls(options: Parameters<typeof startServer>[0] = {}) {
  const config: TlsConfig = {
    certificates: [],
    minVersion: '1.2',
    unknownName: 'default',
    clientCertificates: 'off',
    clientCa: null,
  };
  const certificates = [{ cert: pair.certPem, key: pair.keyPem, passphrase: null }];
  const identity = new TlsIdentity(config, { certificates, clientCa: null }, KEYS);
  const failures = new AwaitedList<string>('failed handshakes');
  const counts = { inProgress: 0 };
  const figures: TlsFigures = {
    shaken: () => {},
    failed: (failure) => failures.push(failure),
    progress: (change) => {
      counts.inProgress += change;
    },
  };
  const server = await startServer({ ...options, tls: { identity, audience: 'clients', figures } });
  const tls = { ca: authority.root.certPem, servername: 'chat.example' };
  return { ...server, identity, failures, counts, tls };
}

function dial(port: number, bytes = ''): { socket: Socket; closed: Promise<void> } {
  const socket = connectTcp(port, '127.0.0.1');
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.from(bytes, 'hex'));
  return { socket, closed: new Promise((resolve) => socket.on('close', () => resolve())) };
}

describe('slow handshakes', () => {
  it('are cut when their time is over, and cost a witness nothing', async () => {
    const limits = {
      headerBytesMax: 8_192,
      headerLinesMax: 1_000,
      handshakeTimeoutMs: 500,
      messageBytesMax: 65_536,
    };
    const { port, accepted, failures, counts, tls } = await startTls({ limits });
    const witness = await openWebSocket({ port, tls });
    const connection = await accepted.first(() => true);
    // Silent ones, and some that have begun to speak TLS.
    const slow = Array.from({ length: HALF_OPEN }, (_, index) =>
      dial(port, index % 2 === 0 ? '' : '16030100'),
    );
    connection.send(encodeFrame(Buffer.from('meanwhile'), false));
    expect(await witness.nextText()).toBe('meanwhile');
    await Promise.all(slow.map(({ closed }) => closed));
    const causes = await failures.atLeast(HALF_OPEN);
    expect(new Set(causes)).toEqual(new Set(['timeout']));
    expect(counts.inProgress).toBe(0);
    connection.send(encodeFrame(Buffer.from('afterwards'), false));
    expect(await witness.nextText()).toBe('afterwards');
  });

  it('leave no time of their own to the head of a request', async () => {
    const limits = {
      headerBytesMax: 8_192,
      headerLinesMax: 1_000,
      handshakeTimeoutMs: 500,
      messageBytesMax: 65_536,
    };
    const { port, tls, failures } = await startTls({ limits });
    const client = handshake({ port, tls, rawRequest: 'GET /connect HTTP/1.1\r\nHost: chat.example\r\n' });
    expect((await client.answered).status).toBe(408);
    expect((await client.closed).orderly).toBe(true);
    expect(failures.items).toEqual([]);
  });

  it('count a client that leaves', async () => {
    const { port, failures } = await startTls();
    const { socket } = dial(port, '16030100');
    socket.end();
    expect(await failures.first(() => true)).toBe('gone');
  });
});

describe('a client that has said all it wanted to', () => {
  it('gets its answer', async () => {
    const asked = new AwaitedList<HttpResponse>('requests');
    const { port, tls } = await startTls({
      handlers: { request: (_request, response) => asked.push(response) },
    });
    const client = handshake({ port, tls, rawRequest: 'GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n' });
    const response = await asked.first(() => true);
    client.end();
    await once(client.socket, 'finish');
    response.send(200, [], 'late');
    expect(await client.answered).toMatchObject({ status: 200, body: 'late' });
  });
});

describe('tickets', () => {
  it('are understood until the keys change, and clients with old ones begin anew', async () => {
    const { port, tls, identity } = await startTls();
    const session = await new Promise<Buffer>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', ...tls });
      cleanUpAfterwards(() => {
        socket.destroy();
      });
      socket.on('session', resolve);
    });
    const resumed = async (): Promise<boolean> => {
      const { socket } = await openWebSocket({ port, tls: { ...tls, session } });
      return (socket as TLSSocket).isSessionReused();
    };
    expect(await resumed()).toBe(true);
    identity.replaceMaterial(identity.material);
    expect(await resumed()).toBe(true);
    identity.replaceTicketKeys(Buffer.alloc(48, 2).toString('base64'));
    expect(await resumed()).toBe(false);
  });
});

describe('a fan-out', () => {
  it('of sixteen messages in one turn is one record', async () => {
    const { port, accepted, tls } = await startTls();
    const tap = await tapInFrontOf(port);
    // In TLS 1.3 tickets look like data.
    const client = await openWebSocket({ port: tap.port, tls: { ...tls, maxVersion: 'TLSv1.2' } });
    const connection = await accepted.first(() => true);
    const before = tap.dataRecords();
    for (let index = 0; index < 16; index++)
      connection.send(encodeFrame(Buffer.from(`message ${index}`), false));
    await client.frames.atLeast(16);
    expect(tap.dataRecords() - before).toBe(1);
    expect(connection.queuedMessages).toBe(0);
  });

  it('to a client that reads nothing ends at the bound, in bytes that are not encrypted', async () => {
    const slowClient = { policy: 'drop_newest', queueBytesMax: 100_000, queueMessagesMax: 1_000 } as const;
    const { port, accepted, tls } = await startTls({ slowClient });
    const client = await openWebSocket({ port, tls });
    client.pause();
    const connection = await accepted.first(() => true);
    const frame = encodeFrame(Buffer.alloc(10_000), true);
    let taken = 0;
    while (connection.send(frame) === 'queued') {
      taken += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connection.queuedBytes).toBeLessThan(100_000 + 2 * 65_536 + 10_004);
    client.resume();
    const frames = await client.frames.atLeast(taken);
    expect(frames.every(({ payload }) => payload.length === 10_000)).toBe(true);
    expect(connection.send(frame)).toBe('queued');
  });
});

/** A relay that sees the records which the server sends. */
async function tapInFrontOf(port: number): Promise<{ port: number; dataRecords(): number }> {
  let seen = Buffer.alloc(0);
  const relay = createServer((socket) => {
    const upstream = connectTcp(port, '127.0.0.1');
    upstream.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      socket.write(chunk);
    });
    socket.on('error', () => {});
    upstream.on('error', () => {});
    socket.pipe(upstream);
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  cleanUpAfterwards(() => {
    relay.close();
  });
  const dataRecords = (): number => {
    let count = 0;
    for (let at = 0; at + 5 <= seen.length; at += 5 + seen.readUInt16BE(at + 3)) if (seen[at] === 23) count++;
    return count;
  };
  return { port: (relay.address() as { port: number }).port, dataRecords };
}
