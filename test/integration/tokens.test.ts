/**
 * Lists of bearer tokens at a real node: every one of them opens its listener, and no other does.
 */
import { expect, test } from 'vitest';
import { post, request, startNode } from '../support/index.ts';

const OLD = 'application-token-old-0123456789';
const NEW = 'application-token-new-0123456789';
const OPERATOR = ['operator-token-one-0123456789', 'operator-token-two-0123456789'];

const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`];

test.each([1, 2])('any token of a list will do, with %i worker(s)', async (workers) => {
  const env = { NEW_TOKEN: NEW };
  const app = { token: [OLD, `\${NEW_TOKEN}`] };
  const api = { listen: '127.0.0.1:0', token: OPERATOR };
  const node = await startNode({ config: { workers, app, api }, env });
  const send = `${node.addresses.public.url}/send`;
  const session = ['X-Kuiperbelt-Session', 'nobody'];
  for (const token of [OLD, NEW]) {
    expect((await post(send, [...session, ...bearer(token)])).status).toBe(200);
  }
  for (const token of [...OPERATOR, `${OLD},${NEW}`, '']) {
    expect((await post(send, [...session, ...bearer(token)])).status).toBe(401);
  }
  const ready = async (token: string): Promise<number> =>
    (await request({ url: `${node.addresses.api?.url}/readyz`, headers: bearer(token) })).status;
  for (const token of OPERATOR) expect(await ready(token)).toBe(200);
  expect(await ready(NEW)).toBe(401);
  const log = JSON.stringify(node.log.items);
  for (const token of [OLD, NEW, ...OPERATOR]) expect(log).not.toContain(token);
});
