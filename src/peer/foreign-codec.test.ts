/** The original's calls and answers: exact bytes out, both vocabularies in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed, ok } from '../base/index.ts';
import { answerJson, METHODS, type Method } from './dialects.ts';
import { readAnswer, readCall, writeCall } from './foreign-codec.ts';
import type { ForeignAnswer, ForeignCall } from './peer-types.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (method: Method, text: string) => readCall(method, bytesOf(text));
const MAX = 2n ** 64n - 1n;
const A = 'http://127.0.0.1:9000';

describe('calls of ours', () => {
  it.each<[ForeignCall, string]>([
    [
      { method: 'prepare', instance: MAX, master: A },
      `{"Instance":18446744073709551615,"Master":{"Addr":"${A}"}}`,
    ],
    [
      { method: 'accept', instance: 3n, sequence: 0n, changes: [] },
      '{"Instance":3,"Sequence":0,"Changes":[]}',
    ],
    [
      { method: 'accept', instance: 3n, sequence: 8n, changes: [bytesOf('a'), bytesOf('')] },
      '{"Instance":3,"Sequence":8,"Changes":["YQ==",""]}',
    ],
    [
      { method: 'addmember', instance: 3n, sequence: 9n, member: 'http://h/<&>' },
      '{"Instance":3,"Sequence":9,"Mem":{"Addr":"http://h/\\u003c\\u0026\\u003e"}}',
    ],
    [
      { method: 'rmmember', instance: 3n, sequence: 9n, member: A },
      `{"Instance":3,"Sequence":9,"Mem":{"Addr":"${A}"}}`,
    ],
    [
      {
        ...{ method: 'start', instance: 2n, sequence: 5n, cluster: 'c', self: 'http://b', master: A },
        ...{ participants: [A, 'http://b'], snapshot: new Uint8Array(0) },
      },
      `{"Instance":2,"Sequence":5,"Cluster":"c","Self":{"Addr":"http://b"},"Master":{"Addr":"${A}"},` +
        `"Participants":[{"Addr":"${A}"},{"Addr":"http://b"}],"Snapshot":""}`,
    ],
    [{ method: 'submit', changes: [bytesOf('x')], requestId: null }, '{"Changes":["eA=="]}'],
    [{ method: 'submit', changes: [], requestId: 'r1' }, '{"Changes":[],"ReqId":"r1"}'],
  ])('%#', (call, text) => {
    expect(writeCall(call)).toBe(text);
    const understood = read(call.method, text);
    expect(understood.ok && plain(understood.value.call)).toEqual(plain(call));
    expect(understood).toMatchObject(ok({ dialect: 'original', isSafe: false }));
  });
});

/** Buffers and byte arrays are the same bytes. */
function plain(call: ForeignCall): unknown {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    ...call,
    ...('changes' in call ? { changes: call.changes.map(hex) } : {}),
    ...('snapshot' in call ? { snapshot: hex(call.snapshot) } : {}),
  };
}

describe('calls of others', () => {
  it.each<[string, Method, string, object]>([
    ['null is all zero', 'accept', 'null', { instance: 0n, sequence: 0n, changes: [] }],
    ['an empty object, too', 'prepare', '{}', { instance: 0n, master: '' }],
    ['null leaves what was there', 'prepare', '{"Instance":5,"Instance":null}', { instance: 5n }],
    ['the last of two wins', 'accept', '{"Sequence":5,"SEQUENCE":6}', { sequence: 6n }],
    ['a list of null is one empty change', 'accept', '{"Changes":[null]}', { changes: [new Uint8Array(0)] }],
    ['no list is an empty one', 'submit', '{"Changes":null}', { changes: [], requestId: null }],
    ['junk is skipped', 'prepare', '{"x":{"y":[1,{"z":null}]},"Instance":1}', { instance: 1n }],
    ['inside of an address, too', 'prepare', '{"Master":{"a":[],"ADDR":"h"}}', { master: 'h' }],
    ['a request id', 'submit', '{"Changes":[],"ReqId":"r"}', { requestId: 'r' }],
    ['an empty one is none', 'submit', '{"ReqId":""}', { requestId: null }],
  ])('%s', (_what, method, text, call) => {
    const understood = read(method, text);
    expect(understood).toMatchObject(ok({ dialect: 'original', call }));
  });

  it.each<[Method, string, object]>([
    ['prepare', '{"instance":3,"master":{"addr":"h"}}', { instance: 3n, master: 'h' }],
    ['accept', '{"instance":3,"seq":4,"chg":["YQ=="]}', { instance: 3n, sequence: 4n }],
    ['accept', '{"changes":["YQ=="]}', { changes: [Buffer.from('a')] }],
    ['addmember', '{"instance":3,"seq":4,"mem":{"addr":"h"}}', { sequence: 4n, member: 'h' }],
    ['start', '{"seq":4,"participants":[{"addr":"h"}],"snap":"YQ=="}', { participants: ['h'] }],
    ['submit', '{"chg":["YQ=="]}', { requestId: null }],
    ['accept', '{"Instance":3,"seq":4}', { instance: 3n, sequence: 4n }],
    ['accept', '{"INSTANCE":3,"sequence":4}', { instance: 3n, sequence: 4n }],
  ])('in documented words: %s %s', (method, text, call) => {
    expect(read(method, text)).toMatchObject(ok({ dialect: 'documented', call }));
  });

  it.each<[Method, string]>([
    ['prepare', '{"INSTANCE":3}'],
    ['prepare', '{"Instance":3,"Master":{"addr":"h"}}'],
    ['prepare', '{"Instance":3,"seq":4}'],
    ['submit', '{"Changes":[],"reqid":"r"}'],
    ['submit', '{"x":1}'],
  ])('in its own words, although not all fits: %s %s', (method, text) => {
    expect(read(method, text)).toMatchObject(ok({ dialect: 'original' }));
  });

  it.each<[Method, string]>([
    ['prepare', '{"Instance":2.0}'],
    ['prepare', '{"Master":"http://h"}'],
    ['prepare', '{"Master":[]}'],
    ['accept', '{"Changes":{}}'],
    ['accept', '{"Changes":"YQ=="}'],
    ['accept', '{"chg":["?"]}'],
    ['start', '{"snap":5}'],
    ['start', '{"Cluster":5}'],
    ['start', '{"Participants":["h"]}'],
    ['submit', '{"ReqId":5}'],
    ['submit', `{"ReqId":"${'r'.repeat(257)}"}`],
    ['prepare', `{"Master":{"Addr":"${'h'.repeat(1_025)}"}}`],
    ['submit', '[]'],
    ['submit', '{}{}'],
  ])('refused: %s %s', (method, text) => {
    expect(read(method, text).ok).toBe(false);
  });

  it('show by Proto that more is meant', () => {
    expect(read('accept', '{"Instance":3,"Proto":{"Min":1,"Max":1}}')).toMatchObject(ok({ isSafe: true }));
  });

  it('never throw, whatever the bytes', () => {
    const anyMethod = fc.constantFrom(...METHODS);
    fc.assert(fc.property(anyMethod, fc.uint8Array(), (method, bytes) => void readCall(method, bytes)));
    fc.assert(fc.property(anyMethod, fc.uint8Array(), (method, bytes) => void readAnswer(method, bytes)));
    fc.assert(fc.property(anyMethod, fc.json(), (method, text) => void read(method, text)));
  });
});

describe('answers of ours', () => {
  const yes: ForeignAnswer = { status: 200, accepted: true, error: null };
  const no: ForeignAnswer = { ...yes, accepted: false, error: { code: 'ERR_GAP', text: 'a & b' } };

  it('take 44 bytes to agree', () => {
    const body = answerJson('accept', 'original', yes);
    expect(body).toBe('{"Accepted":true,"Err":{"Code":"","Err":""}}');
    expect(body).toHaveLength(44);
  });

  it.each<[Method, ForeignAnswer, string, string]>([
    [
      'accept',
      no,
      '{"Accepted":false,"Err":{"Code":"ERR_GAP","Err":"ERR_GAP: a \\u0026 b"}}',
      '{"accepted":false,"err":{"code":"ERR_GAP","err":"ERR_GAP: a \\u0026 b"}}',
    ],
    [
      'submit',
      yes,
      '{"Accepted":true,"Err":{"Code":"","Err":""}}',
      '{"fail":false,"err":{"code":"","err":""}}',
    ],
    [
      'start',
      no,
      '{"Accepted":false,"Err":{"Code":"ERR_GAP","Err":"ERR_GAP: a \\u0026 b"}}',
      '{"fail":true,"err":{"code":"ERR_GAP","err":"ERR_GAP: a \\u0026 b"}}',
    ],
    [
      'prepare',
      { ...yes, accepted: MAX },
      '{"Accepted":18446744073709551615,"Err":{"Code":"","Err":""}}',
      '{"acceptedInstance":18446744073709551615,"err":{"code":"","err":""}}',
    ],
    [
      'prepare',
      { ...no, accepted: false },
      '{"Accepted":0,"Err":{"Code":"ERR_GAP","Err":"ERR_GAP: a \\u0026 b"}}',
      '{"acceptedInstance":0,"err":{"code":"ERR_GAP","err":"ERR_GAP: a \\u0026 b"}}',
    ],
  ])('to %s in each dialect', (method, answer, original, documented) => {
    expect(answerJson(method, 'original', answer)).toBe(original);
    expect(answerJson(method, 'documented', answer)).toBe(documented);
    for (const text of [original, documented]) {
      const understood = readAnswer(method, bytesOf(text));
      const accepted = method === 'prepare' ? BigInt(answer.accepted) : answer.accepted;
      expect(understood).toEqual(ok({ ...answer, accepted, isSafe: false }));
    }
  });

  it('are understood with codes that nobody knows', () => {
    const text = '{"Accepted":false,"Err":{"Code":"ERR_NEW","Err":"ERR_NEW: what"}}';
    expect(readAnswer('accept', bytesOf(text))).toMatchObject(
      ok({ error: { code: 'ERR_CALL', text: 'what' } }),
    );
    expect(readAnswer('accept', bytesOf('{"Accepted":1}'))).toEqual(
      failed('expected true or false at byte 12'),
    );
    expect(readAnswer('accept', bytesOf('{"Proto":{}}'))).toMatchObject(
      ok({ isSafe: true, accepted: false }),
    );
  });
});
