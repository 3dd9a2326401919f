/** `log.headers` and `log.bodies`: what of callbacks a log line shows, and from when on. */
import { expect, test } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';

function linesOf(node: FakeGateways): string[] {
  return node.log.lines
    .filter(({ message }) => message.includes('callback'))
    .map(({ fields, message }) => JSON.stringify([message, fields]));
}

test('log.headers shows the lines of a callback and of its answer, and no query', () => {
  const node = new FakeGateways({ keys: 'log: { level: debug, headers: true }' });
  node.ask('key=alice&token=of-the-query', 0, ['Cookie', 'theme=dark']);
  node.settle();
  const [asked, answered] = linesOf(node);
  expect(asked).toMatch(/^\["callback",.*"Cookie: theme=dark"/);
  expect(answered).toMatch(/^\["answer to a callback",.*"status":200.*"X-Kuiperbelt-Session: alice"/);
  expect(asked).not.toContain('of-the-query');
  expect(asked).not.toContain('"body"');
});

test('log.bodies shows what a client said and what the application answered', () => {
  const node = new FakeGateways({ callbacks: ['receive'], keys: 'log: { level: debug, bodies: true }' });
  node.connect('key=alice').say('hello there');
  const lines = linesOf(node).join('\n');
  expect(lines).toContain('"body":"hello there"');
  expect(lines).not.toContain('"headers"');
});

test('neither is shown unless it was asked for, and both are from a reload on', () => {
  const node = new FakeGateways({ callbacks: ['receive'], keys: 'log: { level: debug }' });
  const alice = node.connect('key=alice');
  alice.say('hello there');
  expect(linesOf(node)).toEqual([]);
  const { config } = new FakeGateways({
    callbacks: ['receive'],
    keys: 'log: { level: debug, headers: true, bodies: true }',
  });
  for (const { live } of node.living) live.replace({ ...config, endpoint: 'e:1' });
  node.settle();
  alice.say('and here');
  expect(linesOf(node).join()).toMatch(/"headers".*"body":"and here"/);
});
