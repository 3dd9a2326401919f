/**
 * Hostile bytes cost their sender the connection and nobody else anything.
 *
 * Whatever is thrown at the one worker, a well-behaved client of it goes on receiving numbered
 * messages, each once and in order, from the same process. The random bytes come from a seed that
 * is printed; `HOSTILE_SEED` repeats a run.
 */
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  closePayload,
  encodeClientFrame,
  handshake,
  handshakeText,
  type NodeAddress,
  OPCODE,
  openWebSocket,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ApplicationCalls } from './application-calls.ts';
import { Witness } from './witness.ts';

const SEED = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.info(`HOSTILE_SEED=${SEED}`);

/** A worker with one client and some hostile ones; far below what any of the floods would need unbounded. */
const MEMORY_MAX_MIB = 400;

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('hostile bytes', () => {
  let application: Application;
  let node: RunningNode;
  let port: number;
  let app: NodeAddress;
  let witness: Witness;
  let workers: readonly number[];
  const random = randomOf(SEED);

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: application.callback,
        app: { listen: '127.0.0.1:0' },
        limits: { message: '1MiB', header: '64KiB', handshake_timeout: '500ms' },
        suppress_access_log: true,
      },
    });
    port = node.addresses.public.port;
    app = node.addresses.app as NodeAddress;
    workers = node.workers();
    const client = await openWebSocket({ port, path: '/connect?key=witness' });
    witness = new Witness(client, new ApplicationCalls(app));
  });

  afterEach(async () => {
    await witness.hears(25);
    expect(node.workers()).toEqual(workers);
    for (const pid of workers) expect(peakMemoryMib(pid)).toBeLessThan(MEMORY_MAX_MIB);
  });

  const openVictim = (key = 'victim') => openWebSocket({ port, path: `/connect?key=${key}` });
  const randomBytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random(256)));
  const reasonOf = async (key: string): Promise<string | undefined> => {
    const end = await application.waitForCall(({ kind, session }) => kind === 'close' && session === key);
    return end.header('X-Arrokoth-Reason');
  };

  it('may be frames that are cut off anywhere', async () => {
    const frame = encodeClientFrame({ payload: 'x'.repeat(70_000) });
    const cuts = [1, 2, 3, 9, 10, 13, 14, 15, 1_000, frame.length - 1];
    for (const cut of cuts) {
      for (const way of ['end', 'reset'] as const) {
        const key = `cut-${cut}-${way}`;
        const client = await openVictim(key);
        client.sendBytes(frame.subarray(0, cut));
        client[way]();
        expect(await reasonOf(key)).toBe('client_gone');
      }
    }
    expect(application.calls('receive')).toEqual([]);
  });

  it('may claim lengths that nobody could hold', async () => {
    for (const length of [2 ** 20 + 1, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      const client = await openVictim(`long-${length}`);
      client.sendBytes(encodeClientFrame({ payload: 'x', claimedLength: length }));
      expect((await client.closed).code).toBe(1009);
    }
    const negative = await openVictim('negative');
    negative.sendBytes(Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]));
    expect([1002, 1009]).toContain((await negative.closed).code);
    expect(await reasonOf('negative')).toBeDefined();
  });

  it('may be anything at all behind the handshake', async () => {
    const clients = await Promise.all(Array.from({ length: 60 }, (_, n) => openVictim(`random-${n}`)));
    for (const client of clients) {
      client.sendBytes(randomBytes(1 + random(3_000)));
      client.end();
    }
    for (const client of clients) await client.closed;
    for (let n = 0; n < clients.length; n++) expect(await reasonOf(`random-${n}`)).toBeDefined();
  });

  it('may be anything at all in place of a request', async () => {
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const bytes = randomBytes(1 + random(2_000));
        const start = n % 2 === 0 ? 'GET /connect HTTP/1.1\r\nHost: x\r\n' : '';
        const request = Buffer.concat([Buffer.from(start), bytes, Buffer.from('\r\n\r\n')]);
        expect(await exchange(n % 3 === 0 ? app.port : port, request)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
      }),
    );
  });

  it('may be text that is not UTF-8, anywhere', async () => {
    const bad = new Uint8Array([0xc3, 0x28, 0xed, 0xa0, 0x80]);
    const client = await openVictim('text');
    client.sendFrame({ payload: bad });
    expect((await client.closed).code).toBe(1007);
    const closing = await openVictim('reason');
    closing.sendFrame({ opcode: OPCODE.close, payload: closePayload(1000, bad) });
    expect((await closing.closed).code).toBe(1002);
    const path = Buffer.concat([
      Buffer.from('GET /'),
      bad,
      Buffer.from(' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    ]);
    expect(await exchange(port, path)).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it('may be unmasked, or break any other rule, in the middle of a stream', async () => {
    for (const frame of [
      { masked: false, payload: 'x' },
      { opcode: 7 },
      { rsv: 7 },
      { opcode: 8, payload: 'x' },
    ]) {
      const client = await openVictim('rule');
      for (let n = 0; n < 50; n++) client.sendText(`fine ${n}`);
      client.sendFrame(frame);
      expect((await client.closed).code).toBe(1002);
    }
  });

  it('may be a flood of pings whose answers nobody reads', async () => {
    const client = await openVictim('pings');
    client.pause();
    const pings = 150_000;
    const padding = '.'.repeat(110);
    for (let n = 0; n < pings; n += 1_000) {
      const some = Array.from({ length: 1_000 }, (_, index) => `${n + index + 1}${padding}`);
      await flood(
        client.socket,
        Buffer.concat(some.map((payload) => encodeClientFrame({ opcode: OPCODE.ping, payload }))),
        1,
      );
    }
    await witness.hears(25);
    const last = `${pings}${padding}`;
    const answered = new Promise<void>((resolve) => {
      client.socket.on('data', () => {
        if (client.frames.items.at(-1)?.text === last) resolve();
      });
    });
    client.resume();
    // RFC 6455 5.5.3 lets the newest ping stand for those before it, so nothing has to pile up.
    await answered;
    expect(client.frames.items.length).toBeLessThan(pings);
    expect(client.frames.items.every(({ opcode }) => opcode === OPCODE.pong)).toBe(true);
  });

  it('may be a message in more fragments than anybody needs', async () => {
    const client = await openVictim('fragments');
    client.sendFrame({ payload: 'x', fin: false });
    const fragments = Buffer.concat(
      Array.from({ length: 1_000 }, () => encodeClientFrame({ opcode: OPCODE.continuation, fin: false })),
    );
    await flood(client.socket, fragments, 100);
    expect((await client.closed).code).not.toBe(1000);
    expect(await reasonOf('fragments')).toBe('message_too_large');
  });

  it('may be heads that are too long, or have too many lines', async () => {
    const long = await exchange(
      port,
      `GET /connect HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
    );
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
    const lines = 'X: y\r\n'.repeat(50_000);
    expect(await exchange(app.port, `POST /send HTTP/1.1\r\nHost: x\r\n${lines}\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await exchange(port, `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 4(14|31) /,
    );
  });

  it('may come one by one, or not at all', async () => {
    const silent = Array.from({ length: 50 }, () => openSocket(port));
    const dribbling = Array.from({ length: 50 }, (_, n) => openSocket(n % 2 === 0 ? port : app.port));
    const text = handshakeText({ port });
    // Enough to deserve an answer; the rest comes too slowly.
    let sent = text.indexOf('\r\n');
    for (const { socket } of dribbling) socket.write(text.slice(0, sent));
    const dribble = setInterval(() => {
      const piece = text.slice(sent, sent + 1);
      sent++;
      for (const { socket } of dribbling) socket.write(piece);
    }, 20);
    cleanUpAfterwards(() => clearInterval(dribble));
    for (const { words } of dribbling) expect(await words).toMatch(/^HTTP\/1\.1 408 /);
    for (const { words } of silent) expect(await words).toBe('');
  });

  it('may come before the handshake is answered, in any amount', async () => {
    let answerNow: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    application.handlers.connect = async () => {
      await held;
      return undefined;
    };
    const client = handshake({ port, path: '/connect?key=early' });
    await application.waitForCall(({ kind, query }) => kind === 'connect' && query.get('key') === 'early');
    const noise = flood(client.socket, Buffer.alloc(65_536, 0xff), 200);
    await witness.hears(25);
    answerNow();
    delete application.handlers.connect;
    await client.closed;
    await noise;
    expect(await reasonOf('early')).toBeDefined();
  });

  it('may be more requests at once than anybody waits for', async () => {
    const { socket } = openSocket(app.port);
    socket.pause();
    await flood(socket, Buffer.from('GET /stats HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000)), 20);
    await witness.hears(25);
    socket.destroy();
  });
});

/** A connection, and everything that is said on it until its end. */
function openSocket(port: number): { readonly socket: Socket; readonly words: Promise<string> } {
  const socket = connectSocket({ host: '127.0.0.1', port });
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  const words = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
  return { socket, words };
}

/** Sends bytes and returns everything that is said until the end. */
function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const { socket, words } = openSocket(port);
  socket.end(bytes);
  return words;
}

/** Writes `bytes` again and again, as fast as they are taken; ends with the connection. */
async function flood(socket: Socket, bytes: Uint8Array, times: number): Promise<void> {
  for (let n = 0; n < times && !socket.destroyed; n++) {
    if (socket.write(bytes)) continue;
    // Whoever reads no more from us has said enough by that.
    const room = await Promise.race([
      drained(socket),
      new Promise<boolean>((resolve) => setTimeout(resolve, 500, false)),
    ]);
    if (!room) return;
  }
}

function drained(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve(true);
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function peakMemoryMib(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peak) / 1_024;
}
