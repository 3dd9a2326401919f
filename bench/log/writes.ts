/**
 * The same write in the three protocols: a key, a value of 100 bytes, and an answer that counts only
 * when it says that the write is durable on a majority.
 *
 * Keys repeat after a thousand, so that neither side is measured by how its state grows. The values
 * are what a base64 of random bytes would be: nothing that compresses well.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Protocol } from './orders.ts';

/** Bytes of each value. */
export const VALUE_BYTES = 100;
const KEYS = 1_000;
/** What the example joins operation, key and value with. */
const JOINT = '\u00d7';
/** The one cluster of a run. */
export const CLUSTER = 'bench';

const VALUE = randomBytes(75).toString('base64url');
/** Request ids of one process differ by their number, those of two by this. */
const RUN = randomUUID();
let written = 0;

/** The next write as an HTTP/1.1 request to `host`; no two of them are the same request. */
export function writeRequest(protocol: Exclude<Protocol, 'etcd_grpc'>, host: string): Buffer {
  written += 1;
  const body = protocol === 'submit' ? submitBody(written) : putBody(written);
  const path = protocol === 'submit' ? `/_clusterc/${CLUSTER}/submit` : '/v3/kv/put';
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

/** Whether an HTTP answer acknowledges the write. */
export function isAcknowledged(protocol: Protocol, head: string, body: string): boolean {
  if (!head.startsWith('HTTP/1.1 200 ')) return false;
  return protocol === 'submit' ? body.includes('"Accepted":true') : body.includes('"revision"');
}

/** The next write as etcd's `PutRequest`: its fields 1 and 2, in a frame of gRPC that is not compressed. */
export function putFrame(): Buffer {
  written += 1;
  const key = Buffer.from(keyOf(written));
  const value = Buffer.from(VALUE);
  const message = Buffer.concat([
    Buffer.from([0x0a, key.length]),
    key,
    Buffer.from([0x12, value.length]),
    value,
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function submitBody(number: number): string {
  const change = Buffer.from(`ADD${JOINT}${keyOf(number)}${JOINT}${VALUE}`).toString('base64');
  return `{"Changes":["${change}"],"ReqId":"${RUN}-${number}"}`;
}

function putBody(number: number): string {
  const [key, value] = [keyOf(number), VALUE].map((text) => Buffer.from(text).toString('base64'));
  return `{"key":"${key}","value":"${value}"}`;
}

function keyOf(number: number): string {
  return `key-${number % KEYS}`;
}
