/** HTTP answers in pieces: what is whole, what needs more, and what two readers could see differently. */
import { describe, expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.ts';

const BODY_MAX = 100;
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Reads `text` as one piece and byte by byte; both have to agree. */
function read(
  text: string,
  ends = false,
): { reading: string; status?: number; body?: string; reusable?: boolean } {
  const outcomes = [[text], [...text]].map((pieces) => {
    const reader = new AnswerReader(BODY_MAX);
    let reading = 'more';
    for (const piece of pieces) if (reading === 'more') reading = reader.push(Buffer.from(piece, 'latin1'));
    if (reading === 'more' && ends) reading = reader.end();
    if (reading !== 'whole') return { reading };
    const { status, body } = reader.answer();
    return { reading, status, body: Buffer.from(body).toString('latin1'), reusable: reader.isReusable };
  });
  expect(outcomes[0]).toEqual(outcomes[1]);
  return outcomes[0] as ReturnType<typeof read>;
}

const whole = (body: string, reusable = true, status = 200) => ({ reading: 'whole', status, body, reusable });

describe('an answer is whole', () => {
  it.each<[string, string, object]>([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', whole('abc')],
    ['without a body', 'HTTP/1.1 500 Oh\r\ncontent-length:0\r\n\r\n', whole('', true, 500)],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', whole('')],
    ['with a status that has no body', 'HTTP/1.1 204 None\r\n\r\n', whole('', true, 204)],
    ['that closes', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\na', whole('a', false)],
    ['of an old server', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', whole('a', false)],
    [
      'of an old server that stays',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na',
      whole('a'),
    ],
    ['behind a hint', 'HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na', whole('a')],
    ['in chunks', `${CHUNKED}2\r\nab\r\n0A ;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n`, whole('ab0123456789')],
    ['in no chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n', whole('')],
  ])('%s', (_what, text, wanted) => {
    expect(read(text)).toEqual(wanted);
  });

  it('at the end of the connection, where nothing else says so', () => {
    const text = 'HTTP/1.1 200 OK\r\nX: \xe9\r\n\r\nabc';
    expect(read(text)).toEqual({ reading: 'more' });
    expect(read(text, true)).toEqual(whole('abc', false));
  });

  it('and shows its lines', () => {
    const reader = new AnswerReader(BODY_MAX);
    expect(reader.isUntouched).toBe(true);
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\nX-A:  b \r\nx-a: c\r\nContent-Length: 0\r\n\r\n'));
    expect(reader.isUntouched).toBe(false);
    const answer = reader.answer();
    expect(answer.rawHeaders).toEqual(['X-A', 'b', 'x-a', 'c', 'Content-Length', '0']);
    expect([answer.header('x-A'), answer.headerLines('X-a')]).toEqual(['b', ['b', 'c']]);
  });
});

describe('more is needed', () => {
  it.each([
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab',
    'HTTP/1.1 102 x\r\n\r\n',
  ])('after %j', (text) => {
    expect(read(text)).toEqual({ reading: 'more' });
    expect(read(text, true)).toEqual({ reading: 'malformed' });
  });
});

describe('no answer is', () => {
  it.each([
    'ICY 200 OK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nNo colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na',
    'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n\r\n',
    `${CHUNKED}x\r\n`,
    `${CHUNKED}-1\r\n`,
    `${CHUNKED}2\r\nabc\r\n`,
    `${CHUNKED}123456789\r\n`,
    `${CHUNKED}${'1;'.padEnd(5_000, 'x')}`,
    `${CHUNKED}0\r\n${'T: x\r\n'.repeat(5_000)}\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab',
    'HTTP/1.1 204 None\r\n\r\nx',
  ])('%j', (text) => {
    const reader = new AnswerReader(BODY_MAX);
    expect(reader.push(Buffer.from(text, 'latin1'))).toBe('malformed');
  });
});

describe('too large is', () => {
  it.each([
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`,
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n',
    `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(101)}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${'x'.repeat(101)}`,
  ])('%j', (text) => {
    expect(new AnswerReader(BODY_MAX).push(Buffer.from(text))).toBe('too_large');
  });
});
