/**
 * What can be seen of each live key, from outside, before and after its change.
 */
import { connect } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { expect } from 'vitest';
import {
  type Callback,
  encodeClientFrame,
  OPCODE,
  post,
  type ReceivedFrame,
  request,
} from '../../support/index.ts';
import {
  answerUnderAllNames,
  application,
  type Case,
  callback,
  closeFailures,
  freshKey,
  hearerCase,
  heldAnswers,
  isAnyAnswered,
  isLogged,
  isSigned,
  knock,
  node,
  other,
  pathCase,
  port,
  SIGNING_KEY,
  send,
  statusOfKnock,
  TOKEN,
  to,
  url,
} from './world.ts';

const TOP: readonly Case[] = [
  {
    ...{ key: 'endpoint', value: 'elsewhere:1', was: false, is: true },
    look: async () => (await callback('connect')).header('X-Kuiperbelt-Endpoint') === 'elsewhere:1',
  },
  {
    ...{ key: 'session_header', value: 'X-Other-Session', was: 400, is: 200 },
    look: async () => {
      const { key } = await knock();
      return (await send(['X-Other-Session', key])).status;
    },
  },
  {
    ...{ key: 'channel_header', value: 'X-Other-Channel', was: 400, is: 200 },
    look: async () => (await send(['X-Other-Channel', 'lobby'])).status,
  },
  {
    ...{ key: 'strict_broadcast', value: true, was: 'message', is: undefined },
    look: async () => {
      const { client, key } = await knock();
      await send([...to('nobody'), ...to(key)]);
      client.sendClose(1000);
      await client.closed;
      return client.frames.items.find(({ opcode }) => opcode === OPCODE.text)?.text;
    },
  },
  {
    ...{ key: 'proxy_set_header', value: { 'X-Via': 'us' }, was: undefined, is: 'us' },
    look: async () => (await callback('connect')).header('X-Via'),
  },
  {
    ...{ key: 'send_queue_size', value: 1, was: [true, true], is: [true, false] },
    look: () => heldAnswers(['a', 'b']),
  },
  {
    ...{ key: 'origin_policy', value: 'same_origin', was: 101, is: 403 },
    look: () => statusOfKnock('Origin', 'http://elsewhere.test'),
  },
  {
    ...{ key: 'trusted_proxies', value: ['127.0.0.1'], was: ['192.0.2.1'], is: ['192.0.2.1, 127.0.0.1'] },
    look: async () =>
      (await callback('connect', ['X-Forwarded-For', '192.0.2.1'])).headerLines('X-Forwarded-For'),
  },
  {
    ...{ key: 'idle_timeout', value: '50ms', is: 1001 },
    look: async () => (await (await knock()).client.closed).code,
  },
  {
    ...{ key: 'suppress_access_log', value: true, was: true, is: false },
    look: () => isLogged('access', () => send(to('nobody'))),
  },
  {
    ...{ key: 'compat', value: 'documented', was: true, is: false },
    look: async () => (await send(to('nobody'))).text.includes('"result":"OK"'),
  },
];

const CALLBACK: readonly Case[] = [
  ...(['connect', 'establish', 'receive', 'close'] as const).map(hearerCase),
  {
    ...{ key: 'callback.timeout', value: '50ms', is: 502 },
    look: async () => {
      application.handlers.connect = () => 'hang';
      const { answer } = await knock();
      application.handlers.connect = answerUnderAllNames;
      return answer.status;
    },
  },
  {
    ...{ key: 'callback.close_timeout', value: '50ms', is: true },
    beside: { callback: { close_backoff: '10ms' } },
    // The second attempt follows the end of the first, which the application never answers.
    look: async () => {
      application.handlers.close = () => 'hang';
      const { client, key } = await knock();
      client.sendClose(1000);
      const isItsClose = (call: Callback): boolean => call.kind === 'close' && call.session === key;
      await application.waitForCall(isItsClose);
      delete application.handlers.close;
      const again = (): number => application.calls('close').filter(isItsClose).length;
      await expect.poll(again, { timeout: 8_000 }).toBe(2);
      return true;
    },
  },
  {
    ...{ key: 'callback.close_attempts', value: 1, was: false, is: true },
    look: async () => (await closeFailures(1))[0]?.msg.includes('for the last time'),
  },
  {
    ...{ key: 'callback.close_backoff', value: '20s', was: false, is: true },
    look: async () => Number((await closeFailures(1))[0]?.delayMs) >= 10_000,
  },
  {
    ...{ key: 'callback.close_backoff_max', value: '20ms', was: false, is: true },
    beside: { callback: { close_backoff: '20ms' } },
    // From the third failure on the back-off would be 80 ms, at least half of which is waited for.
    look: async () => Number((await closeFailures(3))[2]?.delayMs) <= 20,
  },
  {
    ...{ key: 'callback.allow_private_redirects', value: true, was: 502, is: 101 },
    look: async () => {
      const location = `http://localhost:${other.port}/connect?key=${freshKey()}`;
      application.handlers.connect = () => ({ status: 302, headers: ['Location', location] });
      const { answer } = await knock();
      application.handlers.connect = answerUnderAllNames;
      return answer.status;
    },
  },
  { key: 'callback.signing_keys', value: [SIGNING_KEY], was: false, is: true, look: isSigned },
  {
    ...{ key: 'callback.trace', value: 'off', was: true, is: false },
    look: async () => (await callback('connect')).header('traceparent') !== undefined,
  },
  {
    ...{ key: 'callback.trace_sampled', value: false, was: '01', is: '00' },
    beside: { callback: { trace: 'restart' } },
    look: async () => (await callback('connect')).header('traceparent')?.slice(-2),
  },
];

const PATHS: readonly Case[] = [
  pathCase('connect', 400),
  pathCase('send', 200),
  pathCase('close', 200),
  pathCase('subscribe', 400),
  pathCase('unsubscribe', 400),
  pathCase('stats', 200),
  pathCase('ping', 200),
];

const OPERATION: readonly Case[] = [
  {
    ...{ key: 'app.token', value: TOKEN, was: 200, is: 401 },
    look: async () => (await send(to('nobody'))).status,
  },
  {
    ...{ key: 'api.token', value: TOKEN, was: 200, is: 401 },
    look: async () => (await request({ url: `${node.addresses.api?.url}/readyz` })).status,
  },
  {
    ...{ key: 'api.cors_origin', value: 'http://a.example', was: undefined, is: 'http://a.example' },
    look: async () => {
      const answer = await request({ url: `${node.addresses.api?.url}/`, method: 'OPTIONS' });
      return answer.header('access-control-allow-origin');
    },
  },
  {
    ...{ key: 'log.level', value: 'debug', was: false, is: true },
    look: () => isLogged('connected', async () => (await knock()).client.sendClose(1000)),
  },
  {
    ...{ key: 'ping.interval', value: '50ms', is: true },
    look: async () => {
      const { client } = await knock();
      await client.frames.first(({ opcode }) => opcode === OPCODE.ping);
      return true;
    },
  },
  {
    ...{ key: 'ping.timeout', value: '50ms', is: 1001 },
    beside: { ping: { interval: '50ms' } },
    // Nobody answers pings here.
    look: async () => (await (await knock()).client.closed).code,
  },
  {
    ...{ key: 'slow_client.queue_messages', value: 1, was: [true, true], is: [true, false] },
    look: () => heldAnswers(['a', 'b']),
  },
  {
    ...{ key: 'slow_client.queue_bytes', value: 10, was: [true, true], is: [true, false] },
    look: () => heldAnswers(['12345', '67890']),
  },
  {
    ...{ key: 'slow_client.policy', value: 'drop_oldest', was: [true, false], is: [true, true] },
    beside: { slow_client: { queue_messages: 1 } },
    look: () => heldAnswers(['a', 'b']),
  },
  {
    ...{ key: 'idempotency.window', value: '0s', was: 'true', is: undefined },
    look: async () => {
      const headers = [...to('nobody'), 'Idempotency-Key', freshKey()];
      await send(headers);
      return (await send(headers)).header('Idempotency-Replayed');
    },
  },
  {
    // The keys that the node keeps since the case before count, too.
    ...{ key: 'idempotency.keys', value: 1, was: false, is: true },
    look: async () => {
      const statuses = new Set<number>();
      for (let time = 0; time < 8; time++) {
        statuses.add((await send([...to('nobody'), 'Idempotency-Key', freshKey()])).status);
      }
      return statuses.has(503);
    },
  },
];

const LIMITS: readonly Case[] = [
  {
    ...{ key: 'limits.message', value: 10, was: 1000, is: 1009 },
    look: async () => {
      const { client } = await knock();
      client.sendText('more than ten bytes');
      client.sendClose(1000);
      return (await client.closed).code;
    },
  },
  {
    ...{ key: 'limits.body', value: 10, was: 200, is: 413 },
    look: async () => (await send(to('nobody'), 'more than ten bytes')).status,
  },
  {
    ...{ key: 'limits.header', value: '1KiB', was: 101, is: 431 },
    look: () => statusOfKnock('X-Long', 'x'.repeat(2_000)),
  },
  {
    ...{ key: 'limits.connections', value: 1, was: false, is: true },
    look: () => isAnyAnswered(503),
  },
  { key: 'limits.handshake_timeout', value: '50ms', is: true, look: slowHeadIsCut },
  {
    ...{ key: 'limits.channels_per_connection', value: 1, was: false, is: true },
    look: async () => {
      const { key } = await knock();
      const channels = ['X-Kuiperbelt-Channel', 'one', 'X-Kuiperbelt-Channel', 'two'];
      return (await post(url('/subscribe'), [...to(key), ...channels])).text.includes('error');
    },
  },
  {
    ...{ key: 'limits.channel_name', value: 3, was: 200, is: 400 },
    look: async () => (await send(['X-Kuiperbelt-Channel', 'lobby'])).status,
  },
  { key: 'limits.session_key', value: 3, was: 101, is: 502, look: () => statusOfKnock() },
  {
    ...{ key: 'limits.targets', value: 1, was: 200, is: 400 },
    look: async () => (await send([...to('nobody'), ...to('no-one')])).status,
  },
  {
    ...{ key: 'limits.connects_per_address', value: 1, was: false, is: true },
    beside: { limits: { connects_per_address_burst: 1 } },
    look: () => isAnyAnswered(429),
  },
  {
    ...{ key: 'limits.connects_per_address_burst', value: 1, was: false, is: true },
    beside: { limits: { connects_per_address: 1 } },
    look: () => isAnyAnswered(429),
  },
  {
    ...{ key: 'limits.connections_per_address', value: 1, was: false, is: true },
    look: () => isAnyAnswered(429),
  },
  {
    ...{ key: 'limits.messages_per_connection', value: 1, was: 1000, is: 1008 },
    beside: { limits: { messages_per_connection_burst: 1 } },
    look: floodIsClosed,
  },
  {
    ...{ key: 'limits.messages_per_connection_burst', value: 1, was: 1000, is: 1008 },
    beside: { limits: { messages_per_connection: 1 } },
    look: floodIsClosed,
  },
];

const ROWS = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, pair: 'EURUSD', at: id ** 3 })));
const OFFER = ['Sec-WebSocket-Extensions', 'permessage-deflate'];

/** The frame in which a client that offers compression gets a message. */
async function frameOf(body: string): Promise<ReceivedFrame> {
  const { client, key } = await knock(OFFER);
  await send(to(key), body);
  const frame = await client.nextFrame();
  client.sendClose(1000);
  return frame;
}

/** The form of `ROWS` that zlib makes with these settings, without the tail that the protocol leaves out. */
function deflated(settings: { level: number; memLevel: number }): Buffer {
  const options = { ...settings, windowBits: 15, finishFlush: constants.Z_SYNC_FLUSH };
  return deflateRawSync(ROWS, options).subarray(0, -4);
}

const COMPRESSION: readonly Case[] = [
  {
    ...{ key: 'compression.level', value: 1, was: false, is: true },
    look: async () => (await frameOf(ROWS)).payload.equals(deflated({ level: 1, memLevel: 8 })),
  },
  {
    ...{ key: 'compression.memory_level', value: 1, was: false, is: true },
    look: async () => (await frameOf(ROWS)).payload.equals(deflated({ level: 6, memLevel: 1 })),
  },
  {
    ...{ key: 'compression.threshold', value: '1MiB', was: false, is: true },
    look: async () => (await frameOf(ROWS)).text === ROWS,
  },
  {
    ...{ key: 'compression.turn', value: '1KiB', was: false, is: true },
    look: async () => (await frameOf(ROWS)).text === ROWS,
  },
  {
    ...{ key: 'compression.client_message', value: 10, was: 1000, is: 1009 },
    look: async () => {
      const { client } = await knock(OFFER);
      client.sendFrame({ opcode: OPCODE.text, rsv: 4, payload: deflated({ level: 6, memLevel: 8 }) });
      client.sendClose(1000);
      return (await client.closed).code;
    },
  },
];

/** A client that sends fifty messages in one piece, and then its farewell. */
async function floodIsClosed(): Promise<number> {
  const { client } = await knock();
  const word = encodeClientFrame({ opcode: OPCODE.text, payload: 'word' });
  client.sendBytes(Buffer.concat(new Array(50).fill(word)));
  client.sendClose(1000);
  return (await client.closed).code;
}

/** Half of a head, and never the rest. */
async function slowHeadIsCut(): Promise<boolean> {
  const socket = connect(port(), '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /connect HTTP/1.1\r\nHost: a\r\n');
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return true;
}

/** All cases. */
export const CASES: readonly Case[] = [
  ...TOP,
  ...CALLBACK,
  ...PATHS,
  ...OPERATION,
  ...LIMITS,
  ...COMPRESSION,
];
