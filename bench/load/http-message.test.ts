/**
 * The HTTP splitter against messages cut at every byte.
 */
import { describe, expect, it } from 'vitest';
import { HttpStream } from './http-message.ts';

function read(chunks: readonly string[]): string[] {
  const seen: string[] = [];
  const stream = new HttpStream();
  for (const chunk of chunks) {
    stream.push(Buffer.from(chunk, 'latin1'), (message, buffer) => {
      const startLine = message.head.slice(0, message.head.indexOf('\r\n'));
      seen.push(`${startLine}|${buffer.toString('latin1', message.bodyStart, message.bodyEnd)}`);
    });
  }
  return seen;
}

const STREAM =
  'GET /connect?k=1 HTTP/1.1\r\nHost: a\r\n\r\n' +
  'POST /receive HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n' +
  'HTTP/1.1 200 OK\r\ncontent-length:  2\r\nX-A: b\r\n\r\nok' +
  'POST /close HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
const MESSAGES = [
  'GET /connect?k=1 HTTP/1.1|',
  'POST /receive HTTP/1.1|hello',
  'HTTP/1.1 200 OK|ok',
  'POST /close HTTP/1.1|',
];

describe('HttpStream', () => {
  it('splits pipelined messages of every form', () => {
    expect(read([STREAM])).toEqual(MESSAGES);
  });
  it('splits them wherever the stream is cut', () => {
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      expect(read([STREAM.slice(0, cut), STREAM.slice(cut)])).toEqual(MESSAGES);
    }
  });
  it('keeps its rest when the caller uses the chunk again', () => {
    const stream = new HttpStream();
    const shared = Buffer.from('HTTP/1.1 200 OK\r\nContent-Len', 'latin1');
    const bodies: string[] = [];
    const onMessage = (message: { bodyStart: number; bodyEnd: number }, buffer: Buffer): void => {
      bodies.push(buffer.toString('latin1', message.bodyStart, message.bodyEnd));
    };
    stream.push(shared, onMessage);
    shared.fill(0);
    stream.push(Buffer.from('gth: 2\r\n\r\nok', 'latin1'), onMessage);
    expect(bodies).toEqual(['ok']);
  });
});
