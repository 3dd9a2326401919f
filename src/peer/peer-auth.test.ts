/** Calls that are believed, and every way in which one is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeRandom } from '../../test/fakes/fake-random.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { PEER_LIMITS } from '../base/index.ts';
import { NonceRuns } from './nonce-runs.ts';
import { type CallNumbers, PeerAuth } from './peer-auth.ts';

const OLD = 'an old secret of the cluster';
const NEW = 'a new secret of the cluster';
const PATH = '/_clusterc/c/accept';
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const BODY = bytesOf('{"Instance":1}');

function start(...secrets: string[]) {
  const time = new FakeTime();
  const make = (seed: number, ...own: string[]) =>
    new PeerAuth(own, { clock: time, random: new FakeRandom(seed) });
  return { time, make, alice: make(1, ...secrets), bob: make(2, ...secrets) };
}

const numbers = new WeakMap<PeerAuth, CallNumbers>();

/** Signs one more call to the only receiver. */
function sign(auth: PeerAuth, body: Uint8Array = BODY): { headers: string[]; nonce: string } {
  const own = numbers.get(auth) ?? auth.startNumbers();
  numbers.set(auth, own);
  return auth.sign({ method: 'POST', target: PATH, body }, own);
}

interface Lines {
  readonly headers: readonly string[];
}

function head(
  { headers }: Lines,
  change: { method?: string; target?: string; lines?: Record<string, string | null> } = {},
) {
  const { method = 'POST', target = PATH, lines = {} } = change;
  return {
    ...{ method, target },
    header: (name: string) => {
      if (name in lines) return lines[name] ?? undefined;
      const place = headers.indexOf(name);
      return place === -1 ? undefined : headers[place + 1];
    },
  };
}

describe('a signed call', () => {
  it('is believed once', () => {
    const { alice, bob } = start(NEW);
    const signed = sign(alice);
    const verified = bob.verify(head(signed));
    expect(verified).toMatchObject({ nonce: signed.nonce });
    expect(typeof verified === 'object' && bob.isBodyOf(verified, BODY)).toBe(true);
    expect(bob.verify(head(signed))).toBe('replayed');
    expect(bob.verify(head(sign(alice)))).toBeTypeOf('object');
  });

  it('is believed with another body only until that is read', () => {
    const { alice, bob } = start(NEW);
    const verified = bob.verify(head(sign(alice)));
    expect(typeof verified === 'object' && bob.isBodyOf(verified, bytesOf('{"Instance":2}'))).toBe(false);
  });

  it.each<[string, Parameters<typeof head>[1], string]>([
    ['another method', { method: 'GET' }, 'signature'],
    ['another path', { target: '/_clusterc/c/start' }, 'signature'],
    ['a query', { target: `${PATH}?x` }, 'signature'],
    ['another time', { lines: { 'X-Arrokoth-Timestamp': '1700000001' } }, 'signature'],
    ['another nonce', { lines: { 'X-Arrokoth-Nonce': '0123456789abcdef.1' } }, 'signature'],
    ['another digest', { lines: { 'X-Arrokoth-Digest': '0'.repeat(64) } }, 'signature'],
    ['another signature', { lines: { 'X-Arrokoth-Signature': `v1=${'0'.repeat(64)}` } }, 'signature'],
    ['another version', { lines: { 'X-Arrokoth-Signature': `v2=${'0'.repeat(64)}` } }, 'signature'],
    ['a signature that is none', { lines: { 'X-Arrokoth-Signature': 'x' } }, 'signature'],
    ['no signature', { lines: { 'X-Arrokoth-Signature': null } }, 'unsigned'],
    ['no time', { lines: { 'X-Arrokoth-Timestamp': null } }, 'malformed'],
    ['a time that is none', { lines: { 'X-Arrokoth-Timestamp': '1e9' } }, 'malformed'],
    ['no nonce', { lines: { 'X-Arrokoth-Nonce': null } }, 'malformed'],
    ['a nonce that is none', { lines: { 'X-Arrokoth-Nonce': 'abc' } }, 'malformed'],
    ['a nonce with a zero in front', { lines: { 'X-Arrokoth-Nonce': '0123456789abcdef.01' } }, 'malformed'],
    ['no digest', { lines: { 'X-Arrokoth-Digest': null } }, 'malformed'],
  ])('is refused with %s', (_what, change, reason) => {
    const { alice, bob } = start(NEW);
    expect(bob.verify(head(sign(alice), change))).toBe(reason);
  });

  it('is refused when its time is not ours', () => {
    const { alice, bob, time } = start(NEW);
    const signed = sign(alice);
    time.jumpWall(PEER_LIMITS.signatureSkewMs + 1_000);
    expect(bob.verify(head(signed))).toBe('skew');
    time.jumpWall(-2 * PEER_LIMITS.signatureSkewMs - 2_000);
    expect(bob.verify(head(signed))).toBe('skew');
    time.jumpWall(PEER_LIMITS.signatureSkewMs);
    expect(bob.verify(head(signed))).toBeTypeOf('object');
  });

  it('is refused from one who knows another secret, or none', () => {
    const { make, bob } = start(NEW);
    expect(bob.verify(head(sign(make(3, OLD))))).toBe('signature');
    expect(bob.verify(head(sign(make(4))))).toBe('unsigned');
  });

  it('stays believed while a secret is changed node by node', () => {
    const { alice, bob } = start(OLD);
    const both = (one: PeerAuth, other: PeerAuth) => {
      expect(other.verify(head(sign(one)))).toBeTypeOf('object');
      expect(one.verify(head(sign(other)))).toBeTypeOf('object');
    };
    for (const secrets of [[OLD, NEW], [NEW, OLD], [NEW]]) {
      alice.replace(secrets);
      both(alice, bob);
      bob.replace(secrets);
      both(alice, bob);
    }
    expect(alice.verify(head(sign(start(OLD).bob)))).toBe('signature');
  });

  it('is not asked for where there are no secrets', () => {
    const { alice } = start();
    expect(alice.isOn).toBe(false);
    expect(sign(alice)).toEqual({ headers: [], nonce: '' });
    expect(alice.verify(head({ headers: [] }))).toEqual({ digest: '', nonce: '' });
    expect(alice.isBodyOf({ digest: '', nonce: '' }, BODY)).toBe(true);
    expect(alice.isGenuineAnswer('', 200, BODY, undefined)).toBe(true);
    expect(alice.signAnswer('x.1', 200, BODY)).toEqual([]);
  });
});

describe('a signed answer', () => {
  it('belongs to one call, one status and one body', () => {
    const { alice, bob } = start(NEW);
    const { nonce } = sign(alice);
    const [, shown] = bob.signAnswer(nonce, 200, BODY);
    expect(alice.isGenuineAnswer(nonce, 200, BODY, shown)).toBe(true);
    expect(alice.isGenuineAnswer(`${nonce}1`, 200, BODY, shown)).toBe(false);
    expect(alice.isGenuineAnswer(nonce, 500, BODY, shown)).toBe(false);
    expect(alice.isGenuineAnswer(nonce, 200, bytesOf('{}'), shown)).toBe(false);
    expect(alice.isGenuineAnswer(nonce, 200, BODY, undefined)).toBe(false);
    expect(bob.signAnswer('', 200, BODY)).toEqual([]);
  });
});

describe('the memory of nonces', () => {
  it('takes each number once, in any order within its window', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * PEER_LIMITS.nonceWindow })), (numbers) => {
        const runs = new NonceRuns(new FakeTime());
        const taken = new Set<number>();
        let highest = 0;
        for (const number of numbers) {
          const isFresh = !taken.has(number) && number > highest - PEER_LIMITS.nonceWindow;
          expect([number, runs.use('run', number)]).toEqual([number, isFresh ? 'fresh' : 'replayed']);
          taken.add(number);
          highest = Math.max(highest, number);
        }
      }),
    );
  });

  it('refuses new callers when it is full, and forgets only what nobody can replay', () => {
    const time = new FakeTime();
    const runs = new NonceRuns(time);
    for (let run = 0; run < PEER_LIMITS.nonceRunsMax; run++) expect(runs.use(`run ${run}`, 1)).toBe('fresh');
    expect(runs.use('one more', 1)).toBe('nonces_full');
    expect(runs.use('run 0', 2)).toBe('fresh');
    time.advance(3 * PEER_LIMITS.signatureSkewMs);
    expect(runs.use('run 0', 3)).toBe('fresh');
    expect(runs.use('one more', 1)).toBe('nonces_full');
    time.advance(2 * PEER_LIMITS.signatureSkewMs);
    expect(runs.use('one more', 1)).toBe('fresh');
    expect(runs.size).toBe(2);
    expect(runs.use('run 0', 3)).toBe('replayed');
  });
});
