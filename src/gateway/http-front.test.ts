/** What the front desk says to a page that asks why it could not connect. */
import { expect, it } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';

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
  node.worker().gateway.grant('normal', 0);
  expect(probe(node)).toMatchObject({ status: 400 });
  expect(node.app.calls).toEqual([]);
});
