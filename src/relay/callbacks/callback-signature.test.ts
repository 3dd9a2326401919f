/** What a signature covers, and what it looks like. */
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CallbackSigner,
  callbackSigner,
  type SignableRequest,
  signedText,
} from './callback-signature.ts';

const stamp = { timestamp: 1_700_000_000, nonce: 'n1' };
const facts = { sessionHeader: 'X-My-Session', bodyDigest: 'd1' };
const headers = [
  ...[
    'Host',
    'app',
    'content-type',
    ' text/plain \t',
    'Content-Type',
    'second',
    'x-my-session',
    'sch\u00f6n',
  ],
  ...['X-Arrokoth-Connection', 'c1', 'X-Arrokoth-Event-Id', 'c1.closed', 'X-Arrokoth-Reason', 'client_gone'],
  ...['X-Arrokoth-Close-Code', '1006', 'X-Kuiperbelt-Endpoint', 'node:9180', 'X-Request-Id', 'r1'],
];
const request: SignableRequest = { method: 'POST', target: '/close?a=b', headers, body: null };

describe('signedText', () => {
  it('has a line for everything that makes this request what it is', () => {
    expect(signedText(request, stamp, facts).split('\n')).toEqual([
      ...[
        'v1',
        '1700000000',
        'n1',
        'POST',
        '/close?a=b',
        'c1',
        'sch\u00f6n',
        'c1.closed',
        'client_gone',
        '1006',
      ],
      ...['node:9180', 'text/plain', 'd1'],
    ]);
  });

  it('leaves the line of a missing header empty', () => {
    const text = signedText({ ...request, headers: [] }, stamp, facts);
    expect(text).toBe('v1\n1700000000\nn1\nPOST\n/close?a=b\n\n\n\n\n\n\n\nd1');
  });

  it('is another text when anything of it changes', () => {
    const texts = new Set([signedText(request, stamp, facts)]);
    for (const name of headers.filter((_, index) => index % 2 === 0)) {
      const changed = headers.map((text, index) => (headers[index - 1] === name ? 'other' : text));
      texts.add(signedText({ ...request, headers: changed }, stamp, facts));
    }
    texts.add(signedText({ ...request, method: 'GET' }, stamp, facts));
    texts.add(signedText({ ...request, target: '/close' }, stamp, facts));
    texts.add(signedText(request, { ...stamp, nonce: 'n2' }, facts));
    texts.add(signedText(request, { ...stamp, timestamp: 1 }, facts));
    texts.add(signedText(request, stamp, { ...facts, bodyDigest: 'd2' }));
    // The first text, seven headers, five other parts; `Host` and the request id change nothing.
    expect(texts.size).toBe(1 + 7 + 5);
  });
});

describe('callbackSigner', () => {
  const digest = {
    sha256: (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex'),
    hmacSha256: (key: string, text: string) => createHmac('sha256', key).update(text, 'latin1').digest('hex'),
  };
  const signerWith = (keys: string[]): CallbackSigner | null => {
    let nonces = 0;
    const clock = { wallMs: () => 1_700_000_000_999, monotonicMs: () => 0 };
    return callbackSigner(
      { keys, sessionHeader: 'X-My-Session' },
      { clock, digest, nonce: () => `n${++nonces}` },
    );
  };

  it('signs nothing without a key', () => {
    expect(signerWith([])).toBeNull();
  });

  it('signs with the first key, under a new nonce each time', () => {
    const sign = signerWith(['first', 'second']) as CallbackSigner;
    const body = Uint8Array.of(0, 255, 10);
    for (const nonce of ['n1', 'n2']) {
      const text = signedText(
        request,
        { ...stamp, nonce },
        { ...facts, bodyDigest: createHash('sha256').update(body).digest('hex') },
      );
      expect(sign({ ...request, body })).toEqual([
        ...['X-Arrokoth-Timestamp', '1700000000', 'X-Arrokoth-Nonce', nonce],
        ...['X-Arrokoth-Signature', `v1=${digest.hmacSha256('first', text)}`],
      ]);
    }
  });

  it('signs no body as an empty one', () => {
    const [first, second] = [signerWith(['k']), signerWith(['k'])] as [CallbackSigner, CallbackSigner];
    expect(first({ ...request, body: null })).toEqual(second({ ...request, body: new Uint8Array(0) }));
  });
});
