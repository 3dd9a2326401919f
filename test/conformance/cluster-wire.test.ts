/**
 * The wire of the log, byte for byte, as a peer of the original meets it.
 *
 * `docs/reference/cluster-wire.md` has the tables that stand behind each row.
 */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PEER_LIMITS } from '../../src/base/index.ts';
import type { ForeignAnswer } from '../../src/peer/index.ts';
import { startPeer, type TestPeer, type TestPeerWish } from '../../src/peer/testdata/test-peers.ts';
import { cleanUpAfterwards, keepAliveAgent, request, type TestAnswer } from '../support/index.ts';

const YES: ForeignAnswer = { status: 200, accepted: true, error: null };
const ACCEPTED = '{"Accepted":true,"Err":{"Code":"","Err":""}}';
const PLAIN_TEXT = 'text/plain; charset=utf-8';
const MAX = '18446744073709551615';

/** A node that answers each foreign call with `answer`. */
async function start(answer: ForeignAnswer = YES, wish: TestPeerWish = {}): Promise<TestPeer> {
  const peer = await startPeer(wish);
  const answerAll = async () => {
    for (let count = 1; ; count++)
      (await peer.foreign.atLeast(count, () => true, 60_000))[count - 1]?.reply(answer);
  };
  answerAll().catch(() => {});
  return peer;
}

const post = (peer: TestPeer, path: string, body: string | Uint8Array, headers: readonly string[] = []) =>
  request({ url: `${peer.name}${path}`, method: 'POST', body, headers });

/** Sends these bytes and no more, and waits for an answer that shows its length. */
function say({ port }: TestPeer, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      const [head = '', body] = answer.split('\r\n\r\n', 2);
      if (body?.length === Number(/content-length: (\d+)/i.exec(head)?.[1])) resolve(answer);
    });
  });
}

const seen = ({ status, text, ...answer }: TestAnswer) => [
  status,
  answer.header('content-type') ?? null,
  text,
];

describe('status, type and body', () => {
  it.each<[string, string, string, string | null, unknown[]]>([
    ['a call', 'POST', '/_clusterc/c/accept', '{}', [200, PLAIN_TEXT, ACCEPTED]],
    ['a call in a deeper path', 'POST', '/_clusterc/c/x/yaccept', '{}', [200, PLAIN_TEXT, ACCEPTED]],
    ['a call with a query', 'POST', '/_clusterc/c/accept?x=y', '{}', [200, PLAIN_TEXT, ACCEPTED]],
    ['another letter case', 'POST', '/_clusterc/c/Accept', '{}', [400, null, '']],
    ['no such call', 'POST', '/_clusterc/c/other', '{}', [400, null, '']],
    ['the folder', 'POST', '/_clusterc/c/', '{}', [400, null, '']],
    ['a GET', 'GET', '/_clusterc/c/accept', null, [400, null, '']],
    ['a PUT', 'PUT', '/_clusterc/c/accept', '{}', [400, null, '']],
    ['no such cluster', 'POST', '/_clusterc/d/accept', '{}', [404, PLAIN_TEXT, '404 page not found\n']],
    ['no cluster', 'GET', '/', null, [404, PLAIN_TEXT, '404 page not found\n']],
    ['a folder without its slash', 'POST', '/_clusterc/c', '{}', [301, null, '']],
    ['a doubled slash', 'POST', '/_clusterc//c/accept', '{}', [301, null, '']],
    [
      'no body',
      'POST',
      '/_clusterc/c/accept',
      '',
      [500, PLAIN_TEXT, `{"Code":"ERR_IO","Err":"ERR_IO: Couldn't read request"}`],
    ],
    [
      'no JSON',
      'POST',
      '/_clusterc/c/accept',
      '{"Instance":2.0}',
      [
        500,
        PLAIN_TEXT,
        '{"Code":"ERR_ENCODING","Err":"ERR_ENCODING: Couldn\'t decode body ' +
          'expected an unsigned 64-bit integer at byte 15"}',
      ],
    ],
  ])('%s', async (_what, method, path, body, wanted) => {
    const peer = await start();
    const answer = await request({ url: `${peer.name}${path}`, method, ...(body === null ? {} : { body }) });
    expect(seen(answer)).toEqual(wanted);
    const moved =
      answer.status === 301 ? (path.includes('//') ? '/_clusterc/c/accept' : '/_clusterc/c/') : undefined;
    expect(answer.header('location')).toBe(moved);
    expect(answer.body.length).toBe(Number(answer.header('content-length')));
  });

  it('tells a reader where a folder is', async () => {
    const answer = await request({ url: `${(await start()).name}/_clusterc/c` });
    const body = '<a href="/_clusterc/c/">Moved Permanently</a>.\n\n';
    expect(seen(answer)).toEqual([301, 'text/html; charset=utf-8', body]);
  });

  it('is 413 for a body that is too large, and the connection ends', async () => {
    const peer = await start();
    const length = PEER_LIMITS.bodyBytesMax + 1;
    const answer = await say(
      peer,
      `POST /_clusterc/c/accept HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain("ERR_IO: Couldn't read request");
  });

  it('is what the driver says, also when that is no 200', async () => {
    const peer = await start({ status: 409, accepted: 0n, error: { code: 'ERR_DENIED', text: 'no' } });
    const body = '{"Accepted":0,"Err":{"Code":"ERR_DENIED","Err":"ERR_DENIED: no"}}';
    expect(seen(await post(peer, '/_clusterc/c/prepare', '{"Instance":1}'))).toEqual([409, PLAIN_TEXT, body]);
  });
});

describe('success', () => {
  it('takes 44 bytes, over and over on one connection', async () => {
    const peer = await start();
    const agent = keepAliveAgent();
    for (let count = 0; count < 3; count++) {
      const answer = await request({ url: `${peer.name}/_clusterc/c/accept`, body: '{"Instance":1}', agent });
      expect([answer.status, answer.text, answer.body.length]).toEqual([200, ACCEPTED, 44]);
    }
    agent.destroy();
  });

  it.each([
    ['accept', '{"instance":1,"seq":2,"chg":[]}', '{"accepted":true,"err":{"code":"","err":""}}'],
    ['accept', '{"changes":[]}', '{"accepted":true,"err":{"code":"","err":""}}'],
    ['submit', '{"chg":["YQ=="]}', '{"fail":false,"err":{"code":"","err":""}}'],
    ['start', '{"snap":""}', '{"fail":false,"err":{"code":"","err":""}}'],
    ['addmember', '{"mem":{"addr":"http://h"}}', '{"fail":false,"err":{"code":"","err":""}}'],
    ['rmmember', '{"Mem":{"addr":"http://h"}}', ACCEPTED],
    ['submit', 'null', ACCEPTED],
  ])('of %s is said in the words of %s', async (method, body, wanted) => {
    expect((await post(await start(), `/_clusterc/c/${method}`, body)).text).toBe(wanted);
  });

  it.each([
    ['{"Instance":1}', `{"Accepted":${MAX},"Err":{"Code":"","Err":""}}`],
    ['{"instance":1}', `{"acceptedInstance":${MAX},"err":{"code":"","err":""}}`],
  ])('of prepare is exact to the last digit: %s', async (body, wanted) => {
    const peer = await start({ ...YES, accepted: 2n ** 64n - 1n });
    expect((await post(peer, '/_clusterc/c/prepare', body)).text).toBe(wanted);
  });
});

describe('bodies', () => {
  it.each<[string, string, object]>([
    ['the largest integers', `{"Instance":${MAX},"Sequence":${MAX}}`, { instance: 2n ** 64n - 1n }],
    ['null', '{"Instance":null,"Changes":null}', { instance: 0n, sequence: 0n, changes: [] }],
    ['nothing', '{}', { instance: 0n, sequence: 0n, changes: [] }],
    ['null itself', 'null', { instance: 0n, sequence: 0n, changes: [] }],
    ['lower case', '{"instance":3,"sequence":4}', { instance: 3n, sequence: 4n }],
    ['mixed case', '{"iNSTANCE":3,"SEQ":4}', { instance: 3n, sequence: 4n }],
    ['fields that nobody knows', '{"Instance":3,"Future":{"a":[1,[2]]}}', { instance: 3n }],
    ['the last of two', '{"Instance":3,"instance":4}', { instance: 4n }],
    ['numbers for bytes', '{"Changes":[[97,98],"YWI=",null]}', { changes: ['ab', 'ab', ''] }],
    ['line ends in base64', '{"Changes":["YW\\r\\nI="]}', { changes: ['ab'] }],
    ['white space around', ' \r\n{"Instance":3}\t\n', { instance: 3n }],
  ])('are understood with %s', async (_what, body, wanted) => {
    const peer = await start();
    expect((await post(peer, '/_clusterc/c/accept', body)).status).toBe(200);
    const { call } = await peer.foreign.first(() => true);
    const changes = 'changes' in call ? call.changes.map((bytes) => Buffer.from(bytes).toString()) : [];
    expect({ ...call, changes }).toMatchObject({ method: 'accept', ...wanted });
  });

  it.each<[string, string | Uint8Array]>([
    ['a fraction', '{"Instance":2.0}'],
    ['an exponent', '{"Instance":2e0}'],
    ['a text for a number', '{"Instance":"2"}'],
    ['a negative number', '{"Instance":-1}'],
    ['one too many', '{"Instance":18446744073709551616}'],
    ['base64 without padding', '{"Changes":["YQ"]}'],
    ['the other base64', '{"Changes":["-_-_"]}'],
    ['a text for a list', '{"Changes":"YQ=="}'],
    ['garbage behind', '{"Instance":2}x'],
    ['a second value', '{}{}'],
    ['a byte order mark', '\ufeff{}'],
    ['no JSON', 'hello'],
    ['half a JSON', '{"Instance":'],
    ['zero bytes', new Uint8Array(100)],
    ['nesting without end', '['.repeat(1_000_000)],
    ['nesting under a name', `{"x":${'{"x":'.repeat(200_000)}`],
  ])('are refused with %s', async (_what, body) => {
    const peer = await start();
    const answer = await post(peer, '/_clusterc/c/accept', body);
    expect([answer.status, answer.header('content-type')]).toEqual([500, PLAIN_TEXT]);
    expect(answer.text).toMatch(
      /^\{"Code":"ERR_ENCODING","Err":"ERR_ENCODING: Couldn't decode body [^"\\]*(\\.[^"\\]*)*"\}$/,
    );
    expect(peer.foreign.items).toEqual([]);
  });
});

describe('a call of the safe protocol', () => {
  const SAFE = {
    ...{ Changes: [], Proto: { Min: 1, Max: 1 }, Type: 'read', Incarnation: null, Storage: 's', Run: 1 },
    ...{ Knows: {}, Muted: false, From: { Addr: 'http://a' }, Nonce: 1, Ballot: 2 },
  };

  it.each<[string, object, string, number, string]>([
    [
      'of a later protocol',
      { Proto: { Min: 2, Max: 9 } },
      'submit',
      400,
      'Proto is not a range with a version from 1 to 1',
    ],
    ['that another call carries', {}, 'accept', 400, 'Type is not a message that accept carries'],
    [
      'with a field that does not fit',
      { Ballot: 2 ** 49 },
      'submit',
      400,
      `Ballot is not a whole number from 0 to ${2 ** 48}`,
    ],
    [
      'for another member',
      { To: { Addr: 'http://else' } },
      'submit',
      421,
      'The call is meant for another member',
    ],
  ])('%s is refused', async (_what, change, method, status, detail) => {
    for (const headers of [[], ['X-Arrokoth-Proto', '1-1']]) {
      const peer = await start();
      const body = JSON.stringify({ ...SAFE, To: { Addr: peer.name }, ...change });
      const answer = await post(peer, `/_clusterc/c/${method}`, body, headers);
      expect([answer.status, (answer.json() as { Err: string }).Err.replace(/^ERR_[A-Z]+: /, '')]).toEqual([
        status,
        detail,
      ]);
      expect([peer.received.items, peer.foreign.items]).toEqual([[], []]);
    }
  });

  it('is told by its field, the header only says it earlier', async () => {
    const peer = await start();
    const body = JSON.stringify({ ...SAFE, To: { Addr: peer.name } });
    const answered = post(peer, '/_clusterc/c/submit', body);
    const { from, message } = await peer.received.first(() => true);
    expect([from, message.type, message.ballot]).toEqual(['http://a', 'read', 2]);
    peer.peers.send('http://a', { ...message, type: 'read_answer', index: 7, master: null });
    const answer = await answered;
    expect(
      answer.text.startsWith(`${ACCEPTED.slice(0, -1)},"Proto":{"Min":1,"Max":1},"Type":"read_answer"`),
    ).toBe(true);
    expect(answer.header('x-arrokoth-proto')).toBe('1-1');
  });

  it('with the header alone is one of the original', async () => {
    const answer = await post(await start(), '/_clusterc/c/submit', '{"Changes":[]}', [
      'X-Arrokoth-Proto',
      '1-1',
    ]);
    expect([answer.status, answer.text]).toEqual([200, ACCEPTED]);
  });
});

describe('where secrets are set', () => {
  const secrets = ['a secret of this cluster'];

  it.each(['/_clusterc/c/accept', '/_clusterc/d/accept', '/_clusterc/c', '/nothing'])(
    'strangers learn nothing at %s',
    async (path) => {
      const peer = await start(YES, { secrets });
      for (const headers of [[], ['X-Arrokoth-Signature', `v1=${'0'.repeat(64)}`]]) {
        const answer = await post(peer, path, '{}', headers);
        expect(seen(answer)).toEqual([401, null, '']);
      }
      expect(peer.foreign.items).toEqual([]);
      expect(peer.meter.counts.get('arrokoth_peer_auth_failures_total unsigned')).toBe(1);
      expect(peer.log.messages('warn')).toEqual(Array(2).fill('a call to the cluster port was refused'));
    },
  );

  it('a flood of strangers writes few lines', async () => {
    const peer = await start(YES, { secrets });
    await Promise.all(Array.from({ length: 100 }, () => post(peer, '/_clusterc/c/accept', '{}')));
    expect(peer.meter.counts.get('arrokoth_peer_auth_failures_total unsigned')).toBe(100);
    // Two seconds at the most, unless this machine stands still.
    expect(peer.log.messages('warn').length).toBeLessThan(60);
  });

  it('a signed call of the original is answered, once, and only with its own body', async () => {
    const [peer, caller] = await Promise.all([start(YES, { secrets }), start(YES, { secrets })]);
    const { auth } = caller.listener.server;
    const numbers = auth.startNumbers();
    const sign = (body: string) =>
      auth.sign({ method: 'POST', target: '/_clusterc/c/submit', body: Buffer.from(body) }, numbers);
    const { headers } = sign('{"Changes":[]}');
    const first = await post(peer, '/_clusterc/c/submit', '{"Changes":[]}', headers);
    expect([first.status, first.text]).toEqual([200, ACCEPTED]);
    expect(first.header('x-arrokoth-signature')).toMatch(/^v1=[0-9a-f]{64}$/);
    expect((await post(peer, '/_clusterc/c/submit', '{"Changes":[]}', headers)).status).toBe(401);
    const other = await post(
      peer,
      '/_clusterc/c/submit',
      '{"Changes":["eA=="]}',
      sign('{"Changes":[]}').headers,
    );
    expect([other.status, other.header('x-arrokoth-signature')]).toEqual([401, undefined]);
    for (const reason of ['replayed', 'body']) {
      expect(peer.meter.counts.get(`arrokoth_peer_auth_failures_total ${reason}`)).toBe(1);
    }
  });

  it('a stranger is refused before its body is awaited', async () => {
    const peer = await start(YES, { secrets });
    expect(
      await say(peer, 'POST /_clusterc/c/accept HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n'),
    ).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('paths of a host', () => {
  it('are answered to everybody, and nothing else is', async () => {
    const peer = await start(YES, {
      secrets: ['a secret of this cluster'],
      routes: {
        '/kv': (question, answer) =>
          answer.send(200, ['Content-Type', 'application/json'], `"${question.query}"`),
      },
    });
    const answer = await request({ url: `${peer.name}/kv?read=linearizable` });
    expect(seen(answer)).toEqual([200, 'application/json', '"read=linearizable"']);
    expect((await request({ url: `${peer.name}/kv`, body: '{}' })).status).toBe(401);
    expect((await request({ url: `${peer.name}/kv/x` })).status).toBe(401);
  });
});
