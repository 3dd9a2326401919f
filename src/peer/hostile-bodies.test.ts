/** Bodies that cost more than they are worth: of strangers nothing is parsed, of members not everything. */
import { afterEach, expect, it, vi } from 'vitest';
import { PEER_LIMITS } from '../base/index.ts';
import { isBulky } from './json-bulk.ts';
import * as safe from './message-codec.ts';
import { PeerAuth } from './peer-auth.ts';
import { startPeer, type TestPeer } from './testdata/test-peers.ts';

const TARGET = '/_clusterc/c/submit';
const MIB = 2 ** 20;

afterEach(() => vi.restoreAllMocks());

/** How long the longest text was that anybody parsed, while `run` ran. */
async function longestParsed(run: () => Promise<void>): Promise<number> {
  const parse = vi.spyOn(JSON, 'parse');
  await run();
  return Math.max(0, ...parse.mock.calls.map(([text]) => String(text).length));
}

function listOf(bytes: number, item: string): string {
  return `{"Changes":[],"Proto":{"Min":1,"Max":1},"x":[${item.repeat(bytes / item.length)}0]}`;
}

async function post(to: TestPeer, body: string, headers: Record<string, string> = {}): Promise<number> {
  const sent = { 'X-Arrokoth-Proto': '1-1', ...headers };
  const answer = await fetch(`${to.name}${TARGET}`, { method: 'POST', body, headers: sent });
  await answer.text();
  return answer.status;
}

function signed(secret: string, { doors }: TestPeer, body: string): Record<string, string> {
  const auth = new PeerAuth([secret], doors);
  const call = { method: 'POST', target: TARGET, body: Buffer.from(body) };
  const { headers } = auth.sign(call, auth.startNumbers());
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] as string]] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}

it('parses no byte of a body that is not signed, or not the one that was signed', async () => {
  const node = await startPeer({ secrets: ['ours'] });
  const body = listOf(4 * MIB, '[],');
  const statuses: number[] = [];
  const parsed = await longestParsed(async () => {
    statuses.push(await post(node, body));
    statuses.push(await post(node, body, signed('theirs', node, body)));
    statuses.push(await post(node, body, signed('ours', node, body.replace('[],', '{},'))));
  });
  expect(statuses).toEqual([401, 401, 401]);
  expect(parsed).toBeLessThan(100);
  expect([...node.meter.counts.keys()].filter((key) => key.includes('auth_failures')).sort()).toEqual([
    'arrokoth_peer_auth_failures_total body',
    'arrokoth_peer_auth_failures_total signature',
    'arrokoth_peer_auth_failures_total unsigned',
  ]);
});

it('parses of a member no more values than a call has', async () => {
  const node = await startPeer({ secrets: ['ours'] });
  const bulky = listOf(7 * MIB, '[],');
  const parsed = await longestParsed(async () => {
    expect(await post(node, bulky, signed('ours', node, bulky))).toBe(413);
  });
  expect(parsed).toBeLessThan(100);
});

it('counts values, not bytes, and does not look at small bodies', () => {
  const { jsonValuesMax, jsonFreeBytes } = PEER_LIMITS;
  const large = Buffer.from(JSON.stringify({ Changes: Array(65_536).fill('A'.repeat(100)) }));
  expect(large.length).toBeGreaterThan(jsonFreeBytes);
  expect(isBulky(large)).toBe(false);
  const small = Buffer.from(listOf(jsonFreeBytes / 2, '[],'));
  expect(isBulky(small)).toBe(false);
  for (const item of ['0,', '[', '{"a":'])
    expect(isBulky(Buffer.from(item.repeat(jsonValuesMax + 1).padEnd(2 * jsonFreeBytes)))).toBe(true);
  expect(safe.parseSafe(Buffer.from('['.repeat(8 * MIB)))).toBeNull();
});
