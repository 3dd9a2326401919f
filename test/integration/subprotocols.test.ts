/** Subprotocols over a real node: the offer reaches the application, its choice the client. */
import { expect, it } from 'vitest';
import { openWebSocket, startApplication, startNode } from '../support/index.ts';

it('asks the application, and tells the client its choice if that was offered', async () => {
  const application = await startApplication();
  const { connect } = application.callback;
  const node = await startNode({ config: { callback: { connect } } });
  const { port } = node.addresses.public;
  const agreed = async (offer: string[], choice: string[]) => {
    application.handlers.connect = () => ({
      headers: ['X-Kuiperbelt-Session', 'ada', ...choice],
      body: 'hi',
    });
    const before = application.calls('connect').length;
    const headers = [
      ...offer.flatMap((line) => ['Sec-WebSocket-Protocol', line]),
      'X-Kuiperbelt-Protocols',
      'forged',
    ];
    const client = await openWebSocket({ port, headers });
    expect(await client.nextText()).toBe('hi');
    const call = (await application.waitFor('connect', before + 1))[before];
    const answer = await client.answered;
    const head = answer.rawHeaders.filter((_, at) =>
      /protocol/i.test(answer.rawHeaders[at - (at % 2)] as string),
    );
    return [call?.headerLines('X-Kuiperbelt-Protocols'), head];
  };
  const chose = (name: string) => ['X-Kuiperbelt-Protocol', name];
  expect(await agreed([], [])).toEqual([[], []]);
  expect(await agreed([], chose('v1'))).toEqual([[], []]);
  expect(await agreed(['v2.chat, v1.chat'], [])).toEqual([['v2.chat, v1.chat'], []]);
  expect(await agreed(['v2.chat', 'v1.chat'], chose('v1.chat'))).toEqual([
    ['v2.chat, v1.chat'],
    ['Sec-WebSocket-Protocol', 'v1.chat'],
  ]);
  expect(await agreed(['v2.chat'], chose('V2.chat'))).toEqual([['v2.chat'], []]);
  expect(await agreed(['v2.chat'], ['Sec-WebSocket-Protocol', 'v2.chat'])).toEqual([['v2.chat'], []]);
  const warned = (line: { msg: string }) => /protocol that was not offered/.test(line.msg);
  expect(await node.log.atLeast(2, warned)).toHaveLength(2);
});
