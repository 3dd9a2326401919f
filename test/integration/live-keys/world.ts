/**
 * One node of two workers for the cases of the live keys, and ways to look at it.
 *
 * It runs through all cases one after the other; each leaves it to the next with another file.
 */
import { createHmac } from 'node:crypto';
import {
  type Application,
  type Callback,
  defaultAnswer,
  type HandshakeAnswer,
  handshake,
  type LogLine,
  post,
  type RawClient,
  type RunningNode,
  reloadNode,
  request,
  startApplication,
  startNode,
} from '../../support/index.ts';
/** A part of a configuration. */
export type Tree = Readonly<Record<string, unknown>>;

/** One key: the value it is given, what is seen under its old value, and under the new one. */
export interface Case {
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

/** Secrets that are given to the node. */
export const TOKEN = 'a-token-that-is-long-enough-for-all';
export const SIGNING_KEY = 'a-signing-key-that-is-long-enough-for-it';

/** The node, the application that it begins with, another one, and what every file of it says. */
export let node: RunningNode;
export let application: Application;
export let other: Application;
export let base: Tree;
let connected = 0;

/** Starts all of them; to be called once, before everything else. */
export async function startWorld(): Promise<void> {
  application = await startApplication({ connect: answerUnderAllNames });
  other = await startApplication({ connect: answerUnderAllNames });
  base = {
    ...{ workers: 2, callback: application.callback, api: { listen: '127.0.0.1:0' } },
    compression: { enabled: true },
  };
  node = await startNode({ config: base });
}

/** Whatever header names are configured, the answer has the session and the channels under them. */
export function answerUnderAllNames(callback: Callback) {
  const { status, headers = [] } = defaultAnswer(callback);
  const renamed = headers.map((text) => text.replace(/^X-Kuiperbelt-/, 'X-Other-'));
  return { status: status ?? 200, headers: [...headers, ...renamed] };
}

/** `a.b: value` on top of `tree`. */
export function withKey(tree: Tree, name: string, value: unknown): Tree {
  const [first, ...rest] = name.split('.') as [string, ...string[]];
  if (rest.length === 0) return { ...tree, [first]: value };
  return { ...tree, [first]: withKey((tree[first] ?? {}) as Tree, rest.join('.'), value) };
}

export function freshKey(): string {
  connected++;
  return `key-${connected}`;
}

export function url(path: string): string {
  return `${node.addresses.public.url}${path}`;
}

export const port = (): number => node.addresses.public.port;

/** The answer to a connect, and the client where there is one. */
export async function knock(
  headers: readonly string[] = [],
  query = '',
): Promise<{ answer: HandshakeAnswer; client: RawClient; key: string }> {
  const key = freshKey();
  const client = handshake({ port: port(), path: `/connect?key=${key}${query}`, headers });
  return { answer: await client.answered, client, key };
}

/** The callback of one kind about a connection that is made for it. */
export async function callback(
  kind: 'connect' | 'close',
  headers: readonly string[] = [],
): Promise<Callback> {
  const { client, key } = await knock(headers);
  if (kind === 'close') client.sendClose(1000);
  return await application.waitForCall(
    (call) => call.kind === kind && (call.session === key || call.query.get('key') === key),
  );
}

export const statusOfKnock = async (...headers: string[]): Promise<number> =>
  (await knock(headers)).answer.status;

/** Whether any of some connects, one after the other, is answered with `status`. They stay. */
export async function isAnyAnswered(status: number, times = 5): Promise<boolean> {
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

export const send = (headers: readonly string[], body = 'message') => post(url('/send'), headers, body);
export const to = (session: string): string[] => ['X-Kuiperbelt-Session', session];

/** Which application hears a callback of `kind` about one client that says a word and leaves. */
export async function hearer(kind: 'connect' | 'establish' | 'receive' | 'close'): Promise<string> {
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
export async function heldAnswers(bodies: readonly string[]): Promise<boolean[]> {
  application.handlers.establish = () => 'hang';
  const { key } = await knock();
  await application.waitForCall((call) => call.kind === 'establish' && call.session === key);
  delete application.handlers.establish;
  const answers: boolean[] = [];
  for (const body of bodies) answers.push((await send(to(key), body)).text === '{"result":"OK"}');
  return answers;
}

/** The lines about a close callback that the application refuses, for one client. */
export async function closeFailures(count: number): Promise<LogLine[]> {
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
export async function isLogged(message: string, act: (id: string) => Promise<unknown>): Promise<boolean> {
  const id = freshKey();
  const before = node.log.items.length;
  await act(id);
  await reloadNode(node);
  await node.log.first(
    (line) => line.msg.startsWith('configuration') && node.log.items.indexOf(line) >= before,
  );
  return node.log.items.slice(before).some((line) => line.msg === message);
}

export async function isSigned(): Promise<boolean> {
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
export const statusAt = async (path: string): Promise<number> => {
  const isPlain = path.includes('connect') || path.includes('stats') || path.includes('ping');
  const answer = isPlain ? await request({ url: url(path) }) : await post(url(path), to('nobody'));
  return answer.status;
};

export function pathCase(name: string, is: number): Case {
  return {
    key: `path.${name}`,
    value: `/other-${name}`,
    was: 404,
    is,
    look: () => statusAt(`/other-${name}`),
  };
}

export function hearerCase(kind: 'connect' | 'establish' | 'receive' | 'close'): Case {
  const value = () => other.callback[kind];
  return { key: `callback.${kind}`, value, was: 'first', is: 'second', look: () => hearer(kind) };
}
