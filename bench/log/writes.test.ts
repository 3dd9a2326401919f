/**
 * The three protocols carry the same write, and only a durable one counts as acknowledged.
 */
import { describe, expect, it } from 'vitest';
import { isAcknowledged, putFrame, VALUE_BYTES, writeRequest } from './writes.ts';

function bodyOf(request: Buffer): Record<string, string & string[]> {
  const text = request.toString('latin1');
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  expect(text).toContain(`Content-Length: ${body.length}\r\n`);
  return JSON.parse(body) as Record<string, string & string[]>;
}

describe('a write', () => {
  it('is a change with a request id of its own for the log', () => {
    const first = bodyOf(writeRequest('submit', 'a:1'));
    const second = bodyOf(writeRequest('submit', 'a:1'));
    const [operation, key, value] = Buffer.from(first.Changes?.[0] ?? '', 'base64')
      .toString()
      .split('\u00d7');
    expect([operation, value?.length]).toEqual(['ADD', VALUE_BYTES]);
    expect(key).toMatch(/^key-\d+$/);
    expect(first.ReqId).not.toEqual(second.ReqId);
  });

  it('is a key and a value for etcd, in JSON and in its own protocol', () => {
    const { value } = bodyOf(writeRequest('etcd_json', 'a:1'));
    const plain = Buffer.from(value ?? '', 'base64');
    expect(plain.length).toBe(VALUE_BYTES);
    const frame = putFrame();
    expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
    expect(frame.subarray(-VALUE_BYTES)).toEqual(plain);
  });
});

describe('isAcknowledged', () => {
  it('takes a success of the protocol that was spoken, and nothing else', () => {
    const ok = 'HTTP/1.1 200 OK\r\nDate: today';
    expect(isAcknowledged('submit', ok, '{"Accepted":true,"Err":{"Code":"","Err":""}}')).toBe(true);
    expect(isAcknowledged('submit', ok, '{"Accepted":false,"Err":{"Code":"ERR_STATE","Err":"x"}}')).toBe(
      false,
    );
    expect(isAcknowledged('etcd_json', ok, '{"header":{"revision":"7"}}')).toBe(true);
    expect(isAcknowledged('etcd_json', 'HTTP/1.1 503 Unavailable', '{"header":{"revision":"7"}}')).toBe(
      false,
    );
  });
});
