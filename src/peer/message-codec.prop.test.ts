/** Every message and wish comes out as it went in, and nothing else comes in at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert, ok } from '../base/index.ts';
import type { Answer, Entry, Message, Request, Sender } from '../consensus/index.ts';
import { METHODS } from './dialects.ts';
import { readCall } from './foreign-codec.ts';
import { parseSafe, readAnswer, readRequest, writeAnswer, writeRequest } from './message-codec.ts';
import type { MasterOutcome, MasterRequest } from './peer-types.ts';
import { anyAnswer, anyMessage, anyRequest, anySender } from './testdata/any-message.ts';
import { isWish, readOutcome, readWish, WISH_METHOD, writeOutcome, writeWish } from './wish-codec.ts';

const PLACE = { cluster: 'c', from: 'http://a:1', to: 'http://b:2/path' };
const MEMBER = { Addr: 'http://a', Storage: null, Role: 'learner', Knows: {} };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(body: string) {
  const fields = parseSafe(bytesOf(body));
  assert(fields !== null, 'a safe body is read');
  return fields;
}

/** Buffers and byte arrays are the same bytes; `-0` and `0` the same number. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner) => {
      if (inner instanceof Uint8Array) return Buffer.from(inner).toString('hex');
      if (inner?.type === 'Buffer') return Buffer.from(inner.data).toString('hex');
      return inner === Number.POSITIVE_INFINITY ? 'endless' : inner;
    }),
  );
}

describe('messages', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(anyMessage(), (message: Message) => {
        if (message.type.endsWith('_answer')) {
          const asked = message.type.replace('_answer', '') as Request['type'];
          const read = readAnswer(asked, parsed(writeAnswer(message as Answer)));
          expect(plain(read)).toEqual(plain(ok(message)));
        } else {
          const { method, body } = writeRequest(PLACE, message as Request);
          const read = readRequest(method, parsed(body));
          expect(plain(read)).toEqual(plain(ok({ from: PLACE.from, to: PLACE.to, message })));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are calls of the original to whoever knows no better', () => {
    fc.assert(
      fc.property(anyRequest(), (message) => {
        const { method, body } = writeRequest(PLACE, message);
        const read = readCall(method, bytesOf(body));
        assert(read.ok, 'the original reads it');
        expect(read.value).toMatchObject({ isSafe: true, dialect: 'original' });
        if (read.value.call.method === 'prepare' || read.value.call.method === 'accept') {
          expect(read.value.call.instance).toBe(BigInt(message.ballot));
        }
      }),
    );
  });

  it('tell the original the changes of their first entry, once', () => {
    const change = bytesOf('unmistakable');
    const payload = { type: 'changes', kind: 'kv', version: 1, requestId: 'r', changes: [change] } as const;
    const entries: Entry[] = [5, 6].map((index) => ({ index, ballot: 3, payload }));
    const sender = { incarnation: null, storage: 's', run: 1, knows: {}, muted: false };
    const contact = { ageMs: Number.POSITIVE_INFINITY, echoMs: null };
    const { body } = writeRequest(PLACE, {
      ...{ type: 'append', call: 1, ballot: 3, sender, prevIndex: 4, prevBallot: 3, entries },
      ...{ commitIndex: 4, firstIndex: 2, round: 1, contact, readmitAt: null },
    });
    const base64 = Buffer.from(change).toString('base64');
    expect(body.startsWith(`{"Instance":3,"Sequence":3,"Changes":["${base64}"],"Proto":`)).toBe(true);
    expect(body.split(base64)).toHaveLength(entries.length + 1);
  });
});

describe('one field that does not fit', () => {
  const request = (changed: object, type: Request['type'] = 'append') => {
    const [message] = fc.sample(anyRequest(type), { numRuns: 1, seed: 5 });
    const { method, body } = writeRequest(PLACE, message as Request);
    return readRequest(method, parsed(JSON.stringify({ ...JSON.parse(body), ...changed })));
  };

  it.each<[string, object, Request['type']?]>([
    ['an unknown type', { Type: 'gossip' }],
    ['a type of another call', { Type: 'vote' }],
    ['a type that everybody inherits', { Type: 'constructor' }],
    ['a later protocol', { Proto: { Min: 2, Max: 3 } }],
    ['a protocol of text', { Proto: '1' }],
    ['a ballot that is too high', { Ballot: 2 ** 48 + 1 }],
    ['a negative ballot', { Ballot: -1 }],
    ['half a ballot', { Ballot: 1.5 }],
    ['a text for a number', { Nonce: '1' }],
    ['no number', { Nonce: null }],
    ['an index beyond counting', { CommitIndex: 2 ** 53 }],
    ['no sender', { From: {} }],
    ['an empty sender', { From: { Addr: '' } }],
    ['a sender that is too long', { From: { Addr: 'h'.repeat(1_025) } }],
    ['no receiver', { To: 'http://b' }],
    ['kinds in a list', { Knows: ['kv'] }],
    ['kinds without versions', { Knows: { kv: 'new' } }],
    ['too many kinds', { Knows: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`k${at}`, 1])) }],
    ['a mute that is no yes or no', { Muted: 0 }],
    ['entries that are none', { Entries: {} }],
    ['an entry that is none', { Entries: [null] }],
    ['an entry of an unknown type', { Entries: [{ Ballot: 1, Type: 'x' }], PrevBallot: 0, Ballot: 1 }],
    ['an entry above its master', { Entries: [{ Ballot: 9, Type: 'noop' }], PrevBallot: 0, Ballot: 8 }],
    ['an entry of no ballot', { Entries: [{ Ballot: 0, Type: 'noop' }], PrevBallot: 0, Ballot: 8 }],
    [
      'ballots that fall',
      { Entries: [4, 3].map((Ballot) => ({ Ballot, Type: 'noop' })), PrevBallot: 0, Ballot: 8 },
    ],
    ['an entry below what it follows', { Entries: [{ Ballot: 3, Type: 'noop' }], PrevBallot: 4, Ballot: 8 }],
    [
      'a member twice',
      {
        Entries: [{ Ballot: 1, Type: 'members', Config: [1, 1].map(() => MEMBER) }],
        ...{ PrevBallot: 0, Ballot: 1 },
      },
    ],
    [
      'an unknown role',
      {
        Entries: [{ Ballot: 1, Type: 'members', Config: [{ ...MEMBER, Role: 'king' }] }],
        PrevBallot: 0,
        Ballot: 1,
      },
    ],
    ['bytes that are no base64', { Snapshot: 'YQ=!' }, 'snapshot'],
    ['bytes without padding', { Snapshot: 'YQ' }, 'snapshot'],
    ['a piece beyond the whole', { Snapshot: 'YWJj', Offset: 1, TotalBytes: 3 }, 'snapshot'],
    ['a checksum of more than 32 bits', { Digest: 2 ** 32 }, 'snapshot'],
  ])('is enough: %s', (_what, changed, type) => {
    expect(request({}, type).ok).toBe(true);
    expect(request(changed, type).ok).toBe(false);
  });
});

describe('any bytes', () => {
  const anyJson = fc.oneof(
    fc.json(),
    fc.json().map((text) => `{"Proto":{"Min":1,"Max":1},"Type":"append","x":${text}}`),
  );

  it('never throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array(), anyJson.map(bytesOf)),
        fc.constantFrom(...METHODS),
        (body, method) => {
          const fields = parseSafe(body);
          if (fields === null) return;
          isWish(fields);
          readRequest(method, fields);
          readWish(method, fields);
          readAnswer('append', fields);
          readOutcome(fields);
        },
      ),
    );
    expect(parseSafe(bytesOf('['.repeat(1_000_000)))).toBeNull();
  });

  it('never throw in place of one field either', () => {
    fc.assert(
      fc.property(anyRequest(), fc.nat(), fc.jsonValue(), (message, pick, value) => {
        const { method, body } = writeRequest(PLACE, message);
        const object = JSON.parse(body) as Record<string, unknown>;
        const names = Object.keys(object);
        object[names[pick % names.length] as string] = value;
        const fields = parseSafe(bytesOf(JSON.stringify(object)));
        if (fields !== null) readRequest(method, fields);
      }),
    );
  });
});

describe('wishes', () => {
  const [SENDER] = fc.sample(anySender(), 1) as [Sender];

  it.each<MasterRequest>([
    { type: 'submit', kind: 'kv', version: 2, requestId: 'r', changes: [bytesOf('a'), bytesOf('')] },
    { type: 'submit', kind: '', version: 0, requestId: '', changes: [] },
    { type: 'add', member: 'http://c' },
    { type: 'remove', member: 'http://c' },
  ])('come out as they went in: $type', (request) => {
    const fields = parsed(writeWish(PLACE, SENDER, request));
    expect(isWish(fields)).toBe(true);
    const wanted = { from: PLACE.from, to: PLACE.to, sender: SENDER, request };
    expect(plain(readWish(WISH_METHOD[request.type], fields))).toEqual(plain(ok(wanted)));
    expect(readWish('prepare', fields).ok).toBe(false);
  });

  it.each<MasterOutcome>([
    { type: 'done', index: 5, ballot: 3 },
    { type: 'refused', retry: true, master: 'http://c', detail: 'It is <there>.' },
    { type: 'refused', retry: false, master: null, detail: '' },
  ])('have outcomes: %j', (outcome) => {
    expect(readOutcome(parsed(writeOutcome(SENDER, outcome)))).toEqual(ok(outcome));
  });

  it('are none that replicas say', () => {
    fc.assert(
      fc.property(anyRequest(), (message) => {
        expect(isWish(parsed(writeRequest(PLACE, message).body))).toBe(false);
      }),
    );
    fc.assert(
      fc.property(anyAnswer(), (message) => {
        expect(readOutcome(parsed(writeAnswer(message))).ok).toBe(false);
      }),
    );
  });
});
