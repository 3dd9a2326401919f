/** One call of a member that lies is refused, counted and told, and the node goes on. */
import { expect, it } from 'vitest';
import type { Message, Sender } from '../../src/consensus/index.ts';
import { writeRequest } from '../../src/peer/message-codec.ts';
import { writeWish } from '../../src/peer/wish-codec.ts';
import { LogCluster } from '../support/log-cluster.ts';

const FROM = 'http://127.0.0.9:1';
const STRANGER: Sender = { incarnation: null, storage: 'x', run: 1, knows: { word: 1 }, muted: false };

it('refuses a second master of its ballot, says so, and goes on as the first', async () => {
  const cluster = await LogCluster.ofVoters(3);
  const master = await cluster.master();
  const { log, events, lines, state } = cluster.member(master);
  await log.submit(['before']);
  const { ballot } = log.status();
  const to = cluster.address(master);
  const call = async (method: string, body: string): Promise<Response> => {
    const headers = { 'X-Arrokoth-Proto': '1-1' };
    return await fetch(`${to}/_clusterc/words/${method}`, { method: 'POST', body, headers });
  };
  const wish = { type: 'remove', member: 'http://127.0.0.8:1' } as const;
  const answer = await call('rmmember', writeWish({ from: FROM, to }, STRANGER, wish));
  const { Incarnation: incarnation } = (await answer.json()) as { Incarnation: string };
  const lie: Extract<Message, { type: 'append' }> = {
    ...{ type: 'append', call: 7, ballot, sender: { ...STRANGER, incarnation }, prevIndex: 0, prevBallot: 0 },
    entries: [{ index: 1, ballot, payload: { type: 'noop' } }],
    ...{ commitIndex: 9, firstIndex: 1, round: 1, contact: { ageMs: 0, echoMs: null }, readmitAt: null },
  };
  const { method, body } = writeRequest({ cluster: 'words', from: FROM, to }, lie);
  const silent = call(method, body);
  await cluster.until(() => events.includes('contradicted LOG_CONTRADICTED'));
  const line = lines.lines.find(({ fields }) => fields.code === 'LOG_CONTRADICTED');
  expect(line).toMatchObject({ level: 'error', fields: { member: FROM, ballot } });
  await log.submit(['after']);
  expect(state.words).toEqual(['before', 'after']);
  expect(await log.metrics()).toContain('arrokoth_log_contradictions_total{worker="log"} 1\n');
  // Not an answer of the log: nothing that the caller could count.
  expect((await silent).status).toBe(503);
});
