/**
 * Every key that the reference calls `live`, changed under a running node, and what can be seen of it.
 *
 * One node of two workers runs through all of them. Each case looks twice: before the change and
 * after it, so that a key which is not applied cannot pass. Keys whose effect takes a clock or a
 * process in the test's hands are in the unit tests that are named at the end.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Application,
  type Callback,
  configure,
  defaultAnswer,
  encodeClientFrame,
  type HandshakeAnswer,
  handshake,
  type LogLine,
  OPCODE,
  post,
  type RawClient,
  ROOT,
  type RunningNode,
  reloadNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

type Tree = Readonly<Record<string, unknown>>;

/** One key: the value it is given, what is seen under its old value, and under the new one. */
interface Case {
  readonly key: string;
  /** A function, where it is only known when the node runs. */
  readonly value: unknown;
  /** Further keys of the file, before and after. */
  readonly beside?: Tree;
  /** Absent where the old value means to wait for ever. */
  readonly was?: unknown;
  readonly is: unknown;
  readonly look: () => Promise<unknown>;
}

const TOKEN = 'a-token-that-is-long-enough-for-all';
const SIGNING_KEY = 'a-signing-key-that-is-long-enough-for-it';

let node: RunningNode;
let application: Application;
let other: Application;
let base: Tree;
let connected = 0;

beforeAll(async () => {
  application = await startApplication({ connect: answerUnderAllNames });
  other = await startApplication({ connect: answerUnderAllNames });
  base = { workers: 2, callback: application.callback, api: { listen: '127.0.0.1:0' } };
  node = await startNode({ config: base });
}, 60_000);

/** Whatever header names are configured, the answer has the session and the channels under them. */
function answerUnderAllNames(callback: Callback) {
  const { status, headers = [] } = defaultAnswer(callback);
  const renamed = headers.map((text) => text.replace(/^X-Kuiperbelt-/, 'X-Other-'));
  return { status: status ?? 200, headers: [...headers, ...renamed] };
}

/** `a.b: value` on top of `tree`. */
function withKey(tree: Tree, name: string, value: unknown): Tree {
  const [first, ...rest] = name.split('.') as [string, ...string[]];
  if (rest.length === 0) return { ...tree, [first]: value };
  return { ...tree, [first]: withKey((tree[first] ?? {}) as Tree, rest.join('.'), value) };
}

function freshKey(): string {
  connected++;
  return `key-${connected}`;
}

function url(path: string): string {
  return `${node.addresses.public.url}${path}`;
}

const port = (): number => node.addresses.public.port;

/** The answer to a connect, and the client where there is one. */
async function knock(
  headers: readonly string[] = [],
  query = '',
): Promise<{ answer: HandshakeAnswer; client: RawClient; key: string }> {
  const key = freshKey();
  const client = handshake({ port: port(), path: `/connect?key=${key}${query}`, headers });
  return { answer: await client.answered, client, key };
}

/** The callback of one kind about a connection that is made for it. */
async function callback(kind: 'connect' | 'close', headers: readonly string[] = []): Promise<Callback> {
  const { client, key } = await knock(headers);
  if (kind === 'close') client.sendClose(1000);
  return await application.waitForCall(
    (call) => call.kind === kind && (call.session === key || call.query.get('key') === key),
  );
}

const statusOfKnock = async (...headers: string[]): Promise<number> => (await knock(headers)).answer.status;

/** Whether any of some connects, one after the other, is answered with `status`. They stay. */
async function isAnyAnswered(status: number, times = 5): Promise<boolean> {
  const clients: RawClient[] = [];
  let found = false;
  for (let time = 0; time < times && !found; time++) {
    const { answer, client } = await knock();
    clients.push(client);
    found = answer.status === status;
  }
  for (const client of clients) client.sendClose(1000);
  await Promise.all(clients.map(({ closed }) => closed));
  return found;
}

const send = (headers: readonly string[], body = 'message') => post(url('/send'), headers, body);
const to = (session: string): string[] => ['X-Kuiperbelt-Session', session];

/** Which application hears a callback of `kind` about one client that says a word and leaves. */
async function hearer(kind: 'connect' | 'establish' | 'receive' | 'close'): Promise<string> {
  const { client, key } = await knock();
  client.sendText('word');
  client.sendClose(1000);
  await client.closed;
  const isIt = (call: Callback): boolean =>
    call.kind === kind && (call.session === key || call.query.get('key') === key);
  return await Promise.any([
    application.waitForCall(isIt).then(() => 'first'),
    other.waitForCall(isIt).then(() => 'second'),
  ]);
}

/** The words of the answers to messages for a client whose establish callback hangs. */
async function heldAnswers(bodies: readonly string[]): Promise<boolean[]> {
  application.handlers.establish = () => 'hang';
  const { key } = await knock();
  delete application.handlers.establish;
  const answers: boolean[] = [];
  for (const body of bodies) answers.push((await send(to(key), body)).text === '{"result":"OK"}');
  return answers;
}

/** The lines about a close callback that the application refuses, for one client. */
async function closeFailures(count: number): Promise<LogLine[]> {
  application.handlers.close = () => ({ status: 500 });
  const call = await callback('close');
  const connection = call.header('X-Arrokoth-Connection');
  const lines = await node.log.atLeast(
    count,
    (line) => line.connection === connection && line.msg.startsWith('the close callback failed'),
  );
  delete application.handlers.close;
  return lines;
}

/** Whether a line with that message is logged before another thing that surely is. */
async function isLogged(message: string, act: (id: string) => Promise<unknown>): Promise<boolean> {
  const id = freshKey();
  const before = node.log.items.length;
  await act(id);
  await reloadNode(node);
  await node.log.first(
    (line) => line.msg.startsWith('configuration') && node.log.items.indexOf(line) >= before,
  );
  return node.log.items.slice(before).some((line) => line.msg === message);
}

async function isSigned(): Promise<boolean> {
  const call = await callback('connect');
  const header = (name: string) => call.header(name) ?? '';
  const text = [
    ...['v1', header('X-Arrokoth-Timestamp'), header('X-Arrokoth-Nonce'), call.method, call.url],
    ...[header('X-Arrokoth-Connection'), header('X-Kuiperbelt-Session'), '', '', ''],
    ...[header('X-Kuiperbelt-Endpoint'), header('Content-Type')],
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ].join('\n');
  const expected = createHmac('sha256', SIGNING_KEY).update(text).digest('hex');
  return header('X-Arrokoth-Signature') === `v1=${expected}`;
}

/** The status that a path of ours has, for whoever asks it with a session that does not exist. */
const statusAt = async (path: string): Promise<number> => {
  const isPlain = path.includes('connect') || path.includes('stats') || path.includes('ping');
  const answer = isPlain ? await request({ url: url(path) }) : await post(url(path), to('nobody'));
  return answer.status;
};

function pathCase(name: string, is: number): Case {
  return {
    key: `path.${name}`,
    value: `/other-${name}`,
    was: 404,
    is,
    look: () => statusAt(`/other-${name}`),
  };
}

function hearerCase(kind: 'connect' | 'establish' | 'receive' | 'close'): Case {
  const value = () => other.callback[kind];
  return { key: `callback.${kind}`, value, was: 'first', is: 'second', look: () => hearer(kind) };
}

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
    ...{ key: 'callback.trace', value: 'restart', was: false, is: true },
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

/** Keys whose effect takes a clock, or both ends of a part: in unit tests that have their names. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  send_timeout: 'src/gateway/live-config.test.ts',
  isolation_timeout: 'src/gateway/live-config.test.ts',
  'limits.receive_queue': 'src/gateway/live-config.test.ts',
  'idempotency.bytes': 'src/gateway/live-config.test.ts',
  'callback.max_in_flight': 'src/net/adjusted.test.ts',
  'callback.max_queued': 'src/net/adjusted.test.ts',
  'log.headers': 'src/telemetry/logger.test.ts',
  'drain.timeout': 'src/supervisor/reloading.test.ts',
};
/** Nothing reads these yet, so that there is nothing to see. */
const UNREAD = ['log.bodies'];

const CASES = [...TOP, ...CALLBACK, ...PATHS, ...OPERATION, ...LIMITS];

describe('a new value of', () => {
  test.each(CASES)('$key is applied', async ({ key, value, beside = {}, look, ...expected }) => {
    const given = typeof value === 'function' ? value() : value;
    let before = base;
    for (const [group, keys] of Object.entries(beside)) {
      for (const [name, other] of Object.entries(keys as Tree)) {
        before = withKey(before, `${group}.${name}`, other);
      }
    }
    configure(node, before);
    expect((await reloadNode(node)).problems).toEqual([]);
    if ('was' in expected) expect(await look()).toEqual(expected.was);
    configure(node, withKey(before, key, given));
    expect(await reloadNode(node)).toMatchObject({
      result: 'applied',
      applied: [key],
      restart: [],
      late: [],
    });
    expect(await look()).toEqual(expected.is);
  });
});

test('every key that the reference calls live has its test', () => {
  const page = readFileSync(join(ROOT, 'docs/reference/configuration.md'), 'utf8');
  const live = [...page.matchAll(/^\| `([a-z_.]+)` \|(?:[^|\\]|\\.)*\|(?:[^|\\]|\\.)*\| live \|/gm)].map(
    ([, name]) => name as string,
  );
  expect(live.length).toBeGreaterThan(60);
  const seen = [...CASES.map(({ key }) => key), ...Object.keys(ELSEWHERE), ...UNREAD];
  expect([...seen].sort()).toEqual([...live].sort());
  for (const [key, file] of Object.entries(ELSEWHERE)) {
    expect(readFileSync(join(ROOT, file), 'utf8'), file).toContain(`\`${key}\``);
  }
});
