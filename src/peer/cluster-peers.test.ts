/** Nodes over real sockets: messages, wishes and foreign calls, and what becomes of those that fail. */
import { createServer } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwaitedList, cleanUpAfterwards, request } from '../../test/support/index.ts';
import { PEER_LIMITS } from '../base/index.ts';
import type { Answer, Request } from '../consensus/index.ts';
import { ClusterPeers, type ForeignCall, type ForeignOutcome, type MasterOutcome } from './index.ts';
import { writeAnswer } from './message-codec.ts';
import { anyRequest } from './testdata/any-message.ts';
import { type Received, SENDER, startPeer, type TestPeer } from './testdata/test-peers.ts';

const READ: Request = { type: 'read', call: 1, ballot: 2, sender: SENDER };
const READ_ANSWER: Answer = {
  type: 'read_answer',
  call: 1,
  ballot: 2,
  sender: SENDER,
  index: 9,
  master: null,
};
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const call = (peer: TestPeer, to: string, foreign: ForeignCall): Promise<ForeignOutcome> =>
  new Promise((resolve) => peer.peers.callForeign(to, foreign, resolve));
const ask = (peer: TestPeer, to: string, wish: Parameters<ClusterPeers['ask']>[1]): Promise<MasterOutcome> =>
  new Promise((resolve) => peer.peers.ask(to, wish, resolve));

/** A server that answers everything alike, as a stranger would. */
async function stranger(
  status: number,
  body: string,
): Promise<{ name: string; bodies: AwaitedList<string> }> {
  const bodies = new AwaitedList<string>('bodies');
  const server = createServer((question, answer) => {
    let text = '';
    question.on('data', (chunk) => {
      text += chunk;
    });
    question.on('end', () => {
      bodies.push(text);
      answer.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpAfterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return { name: `http://127.0.0.1:${(server.address() as { port: number }).port}`, bodies };
}

describe.each<[string, string[]]>([
  ['believed without a signature', []],
  ['signed', ['a secret of this cluster']],
])('messages that are %s', (_how, secrets) => {
  it('find the other replica, and their answers the way back', async () => {
    const [a, b] = await Promise.all([startPeer({ secrets }), startPeer({ secrets })]);
    a.peers.send(b.name, READ);
    expect(a.received.items).toEqual([]);
    const { from, message } = await b.received.first(() => true);
    expect([from, message]).toEqual([a.name, READ]);
    b.peers.send(a.name, READ_ANSWER);
    expect(await a.received.first(() => true)).toEqual({ from: b.name, message: READ_ANSWER });
    expect(b.meter.counts.get('arrokoth_peer_requests_total submit 200')).toBe(1);
    expect(a.meter.counts.get('arrokoth_peer_calls_total submit answered')).toBe(1);
    expect(b.meter.gauges.get('arrokoth_peer_calls_pending')?.()).toBe(0);
    expect([...a.log.lines, ...b.log.lines]).toEqual([]);
  });

  it('all arrive, also when there are more than connections', async () => {
    const [a, b] = await Promise.all([startPeer({ secrets }), startPeer({ secrets })]);
    const messages = fc.sample(anyRequest('append'), { numRuns: PEER_LIMITS.connectionsMax + 8, seed: 9 });
    for (const [at, message] of messages.entries()) a.peers.send(b.name, { ...message, call: at });
    const calls: number[] = [];
    for (let count = 1; count <= messages.length; count++) {
      const { message } = (await b.received.atLeast(count))[count - 1] as Received;
      calls.push(message.call);
      const round = { round: 1, clockMs: 1, granted: true, matchIndex: 1, matchBallot: 1 };
      b.peers.send(a.name, {
        type: 'append_answer',
        call: message.call,
        ballot: 1,
        sender: SENDER,
        ...round,
      });
    }
    expect(calls.sort((one, two) => one - two)).toEqual(messages.map((_, at) => at));
    await a.received.atLeast(messages.length);
  });
});

describe('answers', () => {
  it('that nobody waits for go nowhere', async () => {
    const [a, b] = await Promise.all([startPeer(), startPeer()]);
    a.peers.send(b.name, READ);
    await b.received.first(() => true);
    b.peers.send(a.name, { ...READ_ANSWER, call: 2 });
    b.peers.send('http://else', READ_ANSWER);
    b.peers.send(a.name, READ_ANSWER);
    b.peers.send(a.name, READ_ANSWER);
    await a.received.first(() => true);
    expect(a.received.items).toHaveLength(1);
  });

  it('of one who knows no secret are not believed', async () => {
    const a = await startPeer({ secrets: ['a secret of this cluster'] });
    const { name, bodies } = await stranger(200, '{"Accepted":true,"Proto":{"Min":1,"Max":1}}');
    a.peers.send(name, READ);
    await bodies.first(() => true);
    expect(await ask(a, name, { type: 'add', member: 'http://x' })).toMatchObject({
      ...{
        type: 'refused',
        retry: true,
        detail: 'its answer is not signed with a secret that is known here',
      },
    });
    expect(a.received.items).toEqual([]);
    expect(a.spokeForeign.items).toEqual([]);
    expect(a.log.messages('warn')).toContain('a member did not answer as it should');
  });

  it.each<[string, number, string]>([
    ['of another message', 200, '{"Accepted":true,"Proto":{"Min":1,"Max":1},"Type":"vote_answer"}'],
    ['with a field missing', 200, '{"Accepted":true,"Proto":{"Min":1,"Max":1},"Type":"read_answer"}'],
    ['to another question', 200, writeAnswer({ ...READ_ANSWER, call: 2 })],
    ['with another status', 500, '{"Accepted":true,"Proto":{"Min":1,"Max":1}}'],
  ])('%s are dropped', async (_what, status, body) => {
    const a = await startPeer();
    const { name } = await stranger(status, body);
    a.peers.send(name, READ);
    expect(await ask(a, name, { type: 'remove', member: 'http://x' })).toMatchObject({ retry: true });
    expect(a.received.items).toEqual([]);
    expect(a.spokeForeign.items).toEqual([]);
  });
});

describe('a member that speaks the original protocol', () => {
  it('is told apart, and is shown nothing that it could misunderstand', async () => {
    const a = await startPeer();
    const { name, bodies } = await stranger(
      200,
      '{"Accepted":false,"Err":{"Code":"ERR_STATE","Err":"ERR_STATE: x"}}',
    );
    a.peers.send(name, READ);
    expect(await a.spokeForeign.first(() => true)).toBe(name);
    expect((await bodies.first(() => true)).startsWith('{"Changes":[],"Proto":')).toBe(true);
    expect(await ask(a, name, { type: 'add', member: 'http://x' })).toMatchObject({
      ...{ retry: true, detail: `${name} speaks the original protocol.` },
    });
  });

  it('is called in its own words', async () => {
    const a = await startPeer();
    const yes = await stranger(200, '{"Accepted":true,"Err":{"Code":"","Err":""}}');
    const accept = {
      method: 'accept',
      instance: 2n ** 64n - 1n,
      sequence: 0n,
      changes: [bytesOf('a')],
    } as const;
    expect(await call(a, yes.name, accept)).toEqual({
      ...{ type: 'answered', answer: { status: 200, accepted: true, error: null } },
    });
    expect(yes.bodies.items).toEqual(['{"Instance":18446744073709551615,"Sequence":0,"Changes":["YQ=="]}']);
    const no = await stranger(200, '{"Accepted":7,"Err":{"Code":"ERR_DENIED","Err":"ERR_DENIED: no"}}');
    const prepare = { method: 'prepare', instance: 9n, master: 'http://m' } as const;
    const error = { code: 'ERR_DENIED', text: 'no' };
    expect(await call(a, no.name, prepare)).toEqual({
      ...{ type: 'answered', answer: { status: 200, accepted: 7n, error } },
    });
    const refused = await stranger(409, 'whatever');
    expect(await call(a, refused.name, prepare)).toEqual({
      ...{ type: 'answered', answer: { status: 409, accepted: false, error: null } },
    });
    expect(await call(a, (await stranger(200, '<html>')).name, prepare)).toMatchObject({ type: 'failed' });
    expect(await call(a, 'http://127.0.0.1:1', prepare)).toMatchObject({ type: 'failed' });
    for (const name of ['no address', 'ftp://h', 'http://h?q', 'http://u:p@h', '']) {
      expect(await call(a, name, prepare)).toEqual({ type: 'failed', detail: 'its address is no URL' });
    }
  });

  it('calls us, and is answered in its own words', async () => {
    const b = await startPeer();
    const answered = request({ url: `${b.name}/_clusterc/c/submit`, body: '{"chg":["YQ=="]}' });
    const { call: foreign, reply } = await b.foreign.first(() => true);
    expect(foreign).toMatchObject({ method: 'submit', requestId: null });
    reply({ status: 200, accepted: false, error: { code: 'ERR_STATE', text: 'wait' } });
    reply({ status: 200, accepted: true, error: null });
    expect(await answered).toMatchObject({
      ...{ status: 200, text: '{"fail":true,"err":{"code":"ERR_STATE","err":"ERR_STATE: wait"}}' },
    });
  });
});

describe('wishes', () => {
  it('reach the master, and tell what became of them', async () => {
    const [a, b] = await Promise.all([startPeer(), startPeer()]);
    const submit = {
      type: 'submit',
      kind: 'kv',
      version: 1,
      requestId: 'r',
      changes: [bytesOf('x')],
    } as const;
    const done = ask(a, b.name, submit);
    const first = await b.asked.first(() => true);
    expect({ ...first.request, changes: [] }).toEqual({ ...submit, changes: [] });
    first.reply({ type: 'done', index: 5, ballot: 2 });
    expect(await done).toEqual({ type: 'done', index: 5, ballot: 2 });
    const refused = ask(a, b.name, { type: 'add', member: 'http://x' });
    const outcome = { type: 'refused', retry: true, master: 'http://m', detail: 'Ask there.' } as const;
    (await b.asked.first(({ request: wish }) => wish.type === 'add')).reply(outcome);
    expect(await refused).toEqual(outcome);
  });

  it('of another incarnation are refused before anybody hears of them', async () => {
    const [a, b] = await Promise.all([startPeer(), startPeer()]);
    // What a node is, is learned from what its replica says.
    a.peers.send(b.name, { ...READ, sender: { ...SENDER, incarnation: 'one' } });
    await b.received.first(() => true);
    b.peers.send(a.name, { ...READ_ANSWER, sender: { ...SENDER, incarnation: 'two' } });
    await a.received.first(() => true);
    expect(await ask(a, b.name, { type: 'add', member: 'http://x' })).toMatchObject({
      ...{
        type: 'refused',
        retry: false,
        detail: 'The asker belongs to another incarnation of the cluster.',
      },
    });
    expect(b.asked.items).toEqual([]);
  });
});

describe('a cluster', () => {
  it('is served once in a process, and others beside it', async () => {
    const b = await startPeer();
    const open = (cluster: string) =>
      ClusterPeers.open({
        ...{ identity: { cluster, name: b.name, knows: {} }, server: b.listener.server },
        events: {
          receive: () => {},
          foreign: (_call, reply) => reply(YES),
          asked: () => {},
          spokeForeign: () => {},
        },
        ...b.doors,
      });
    const YES = { status: 200, accepted: true, error: null };
    expect(open('c')).toMatchObject({ ok: false, error: 'ERR_STATE: The cluster c is served here already.' });
    expect(open('a b')).toMatchObject({ ok: false, error: 'The cluster name "a b" is not fit for a path.' });
    const other = open('d');
    const submit = () => request({ url: `${b.name}/_clusterc/d/submit`, body: '{}' });
    expect((await submit()).text).toHaveLength(44);
    if (other.ok) other.value.close();
    expect((await submit()).status).toBe(404);
    expect(open('d').ok).toBe(true);
  });

  it('that ends answers whoever waits', async () => {
    const b = await startPeer();
    const answered = request({ url: `${b.name}/_clusterc/c/submit`, body: '{}' });
    const { reply } = await b.foreign.first(() => true);
    b.peers.close();
    expect(await answered).toMatchObject({
      ...{ status: 503, text: '{"Code":"ERR_CALL","Err":"ERR_CALL: No answer in time"}' },
    });
    reply({ status: 200, accepted: true, error: null });
  });

  it('answers overdue calls itself', async () => {
    const b = await startPeer({ fakeTime: true });
    const answered = request({ url: `${b.name}/_clusterc/c/submit`, body: '{}' });
    await b.foreign.first(() => true);
    b.time?.advance(PEER_LIMITS.wishTimeoutMs + 500);
    expect((await answered).status).toBe(503);
  });
});
