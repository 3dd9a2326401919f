/** What the front desk says to pages: why they could not connect, and that they make no calls. */
import { expect, it } from 'vitest';
import { FakeGateways, granted } from '../../test/fakes/fake-gateways.ts';

function probe(node: FakeGateways) {
  const headers = ['Host', 'node.test', 'Origin', 'https://page.test'];
  return node.worker().servers[0].request({ path: '/connect', headers }).answer;
}

it('shows a page of a full node when to come again, and that it is one no more', () => {
  const node = new FakeGateways({ keys: 'limits: { connections: 1 }' });
  expect(probe(node)).toMatchObject({ status: 400 });
  const alice = node.connect('key=alice');
  expect(probe(node)).toMatchObject({
    status: 503,
    headers: expect.arrayContaining(['Retry-After', 'Access-Control-Expose-Headers']),
    body: 'Service Unavailable: the node is full\n',
  });
  expect(node.ask('key=bob').refused, 'the handshake is told the same').toMatchObject({ status: 503 });
  alice.leave();
  node.settle();
  expect(probe(node)).toMatchObject({ status: 400 });
});

it('shows it while nobody is admitted', () => {
  const node = new FakeGateways({ silent: true });
  expect(probe(node)).toMatchObject({ status: 503 });
  node.worker().gateway.grant(granted('normal'));
  expect(probe(node)).toMatchObject({ status: 400 });
  expect(node.app.calls).toEqual([]);
});

it('takes no call of a page, unless it shows a token', () => {
  const call = (node: FakeGateways, headers: string[]) =>
    node.worker().servers[0].request({ method: 'POST', path: '/send', headers }).answer;
  const target = ['X-Kuiperbelt-Session', 'nobody'];
  const page = [...target, 'Origin', 'http://rebound.test:9180'];
  const open = new FakeGateways();
  expect(call(open, target)).toMatchObject({ status: 200 });
  expect(call(open, page)).toMatchObject({ status: 403 });
  const guarded = new FakeGateways({ keys: 'app: { token: a-token-of-this-test }' });
  expect(call(guarded, page)).toMatchObject({ status: 401 });
  expect(call(guarded, [...page, 'Authorization', 'Bearer a-token-of-this-test'])).toMatchObject({
    status: 200,
  });
});
