/** The page about the wire says what the code does: its numbers, its metrics, the text of a signature. */
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FakeRandom } from '../../test/fakes/fake-random.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { PEER_LIMITS } from '../base/index.ts';
import { PeerAuth } from './peer-auth.ts';
import { PeerFigures } from './peer-figures.ts';
import { CountingMeter } from './testdata/test-peers.ts';

const PAGE = readFileSync(new URL('../../docs/reference/cluster-wire.md', import.meta.url), 'utf8');
const words = PAGE.replace(/\s+/g, ' ');
const MIB = 1_024 * 1_024;

describe('the page about the wire', () => {
  it('lists the metrics that there are', () => {
    const meter = new CountingMeter();
    new PeerFigures(meter, () => 0).requested(null, 404);
    const rows = [...PAGE.matchAll(/^\| `(arrokoth_\w+)` \| (\w+) \| (.*) \|$/gm)].map(
      ([, name, type, help]) => ({
        ...{ name, help, type },
      }),
    );
    expect(rows).toEqual(meter.heads);
  });

  it.each<[number, string]>([
    [PEER_LIMITS.bodyBytesMax / MIB, 'A body of more than # MiB'],
    [PEER_LIMITS.bodiesBytesMax / MIB, 'bodies of # MiB at once'],
    [PEER_LIMITS.jsonDepthMax, 'up to # levels deep'],
    [PEER_LIMITS.changesMax, '| `Changes` | list of bytes | # |'],
    [PEER_LIMITS.membersMax, '| `Participants` | addresses | # |'],
    [PEER_LIMITS.nameCharactersMax, '| `Cluster` | text | # characters |'],
    [PEER_LIMITS.idCharactersMax, '| `ReqId` | text | # characters |'],
    [PEER_LIMITS.kindsMax, 'object, # kinds'],
    [PEER_LIMITS.entriesMax, 'a list of at most # objects'],
    [Math.log2(PEER_LIMITS.ballotMax), '2^# in the safe protocol'],
    [PEER_LIMITS.signatureSkewMs / 1_000, 'more than # s from'],
    [PEER_LIMITS.nonceWindow, 'its number is # or more below'],
    [PEER_LIMITS.nonceRunsMax, 'when # other senders'],
    [PEER_LIMITS.idleConnectionMs / 1_000, 'kept: # s by callers'],
    [PEER_LIMITS.connectionsMax, 'at most # connections'],
    [PEER_LIMITS.wishConnectionsMax, 'for messages and # for wishes'],
    [PEER_LIMITS.waitingMax, 'the oldest beyond # is'],
    [PEER_LIMITS.messageTimeoutMs / 1_000, 'given up after # s, a wish'],
    [PEER_LIMITS.wishTimeoutMs / 1_000, 'a wish after # s'],
    [PEER_LIMITS.foreignTimeoutMs / 1_000, 'original protocol after # s'],
    [PEER_LIMITS.pendingMax, 'lets # calls of each kind'],
  ])('says %s where it says "%s"', (value, sentence) => {
    expect(words).toContain(sentence.replace('#', value.toLocaleString('en')));
  });

  it('tells how to sign', () => {
    const auth = new PeerAuth(['secret'], { clock: new FakeTime(), random: new FakeRandom(1) });
    const { headers, nonce } = auth.sign(
      { method: 'POST', target: '/_clusterc/c/submit', body: Buffer.from('{}') },
      auth.startNumbers(),
    );
    const digest = createHash('sha256').update('{}').digest('hex');
    const lines = ['arrokoth-call', 'v1', '1700000000', nonce, 'POST', '/_clusterc/c/submit', digest];
    const hmac = (text: string) => `v1=${createHmac('sha256', 'secret').update(text).digest('hex')}`;
    expect(nonce).toMatch(/^[0-9a-f]{16}\.1$/);
    expect(headers).toEqual([
      ...['X-Arrokoth-Timestamp', '1700000000', 'X-Arrokoth-Nonce', nonce, 'X-Arrokoth-Digest', digest],
      ...['X-Arrokoth-Signature', hmac(lines.join('\n'))],
    ]);
    const [, answer] = auth.signAnswer(nonce, 200, '{}');
    expect(answer).toBe(hmac(['arrokoth-answer', 'v1', nonce, '200', digest].join('\n')));
    for (const name of headers.filter((line) => line.startsWith('X-'))) expect(PAGE).toContain(`\`${name}\``);
  });
});
