/** permessage-deflate with the client of `ws` as an independent peer, in every form that it can ask for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { AwaitedList, cleanUpAfterwards, handshake } from '../../test/support/index.ts';
import { systemTimers } from '../system/index.ts';
import { encodeFrame } from './index.ts';
import { countedCompression } from './testdata/counted-compression.ts';
import { startServer } from './testdata/test-server.ts';
import type { CompressionSettings } from './websocket/message-compression.ts';

/** What a client of `ws` heard, in hexadecimal. */
interface Peer {
  readonly client: WebSocket;
  readonly heard: AwaitedList<string>;
}

async function start(settings: Partial<CompressionSettings> = {}) {
  const { compression, figure } = countedCompression(systemTimers, settings);
  return { ...(await startServer({ compression })), figure };
}

async function open(port: number, perMessageDeflate: boolean | PerMessageDeflateOptions): Promise<Peer> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate });
  cleanUpAfterwards(() => client.terminate());
  const heard = new AwaitedList<string>('messages');
  client.on('message', (payload: Buffer) => heard.push(payload.toString('hex')));
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  return { client, heard };
}

const json = fc
  .array(fc.record({ id: fc.nat(), name: fc.constantFrom('Ada', 'Bob', 'Zo\u00eb'), on: fc.boolean() }), {
    maxLength: 300,
  })
  .map((rows) => Buffer.from(JSON.stringify(rows)));
const payload = fc.oneof(
  json,
  fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(0, 1, 125, 126, 60_000).map((length) => Buffer.alloc(length, 'x')),
);

describe('a client of ws', () => {
  const windows = fc.option(fc.integer({ min: 9, max: 15 }), { nil: undefined });
  const offers = fc.record({
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.constantFrom(true, undefined),
    serverMaxWindowBits: windows,
    clientMaxWindowBits: fc.oneof(windows, fc.constant(true)),
    threshold: fc.constantFrom(0, 1_024),
  });

  test('gets and sends every message as it is, whatever it asks for', async () => {
    await fc.assert(
      fc.asyncProperty(
        offers,
        fc.integer({ min: 9, max: 15 }),
        fc.array(payload, { minLength: 1, maxLength: 8 }),
        async (offer, windowBits, payloads) => {
          const { server, port, accepted, messages } = await start({ windowBits });
          const { client, heard } = await open(port, offer as PerMessageDeflateOptions);
          const connection = await accepted.first(() => true);
          const asked = offer.serverMaxWindowBits;
          const agreed = asked === undefined || asked >= windowBits;
          expect(client.extensions).toBe(agreed ? 'permessage-deflate' : '');
          for (const bytes of payloads) {
            connection.send(encodeFrame(bytes, true));
            client.send(bytes);
          }
          const there = payloads.map((bytes) => bytes.toString('hex'));
          expect(await heard.atLeast(payloads.length)).toEqual(there);
          const back = await messages.atLeast(payloads.length);
          expect(back.map(({ text }) => text)).toEqual(payloads.map((bytes) => bytes.toString('utf8')));
          client.terminate();
          await server.close(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is sent fewer bytes, and sends fewer', async () => {
    const { port, accepted, messages, figure } = await start();
    const words = Buffer.from('{"kind":"price","pair":"EURUSD"},'.repeat(1_000));
    const { client, heard } = await open(port, { threshold: 0 });
    const connection = await accepted.first(() => true);
    connection.send(encodeFrame(words, false));
    await heard.atLeast(1);
    client.send(words.toString());
    await messages.atLeast(1);
    for (const name of ['deflated', 'inflated']) {
      expect(figure(`${name}_messages_total`)).toBe(1);
    }
    expect(figure('deflated_output_bytes_total')).toBeLessThan(words.length / 50);
    expect(figure('inflated_input_bytes_total')).toBeLessThan(words.length / 50);
  });

  test('that asks for nothing is sent messages as they are', async () => {
    const { port, accepted, figure } = await start();
    const { client, heard } = await open(port, false);
    (await accepted.first(() => true)).send(encodeFrame(Buffer.alloc(10_000), true));
    expect((await heard.atLeast(1))[0]).toHaveLength(20_000);
    expect(client.extensions).toBe('');
    expect(figure('deflated_messages_total')).toBe(0);
  });
});

describe('the answer to a handshake', () => {
  const OFFER = ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'];

  test('names the extension as it was agreed on', async () => {
    const { port } = await start({ windowBits: 12 });
    const answer = await handshake({ port, headers: OFFER }).answered;
    expect(answer.header('Sec-WebSocket-Extensions')).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12',
    );
  });

  test('says nothing where compression is off', async () => {
    const { port } = await startServer();
    const answer = await handshake({ port, headers: OFFER }).answered;
    expect([answer.status, answer.header('Sec-WebSocket-Extensions')]).toEqual([101, undefined]);
  });
});
