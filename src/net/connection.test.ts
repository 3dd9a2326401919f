import { describe, expect, test } from 'vitest';
import { OPCODE, openWebSocket } from '../../test/support/index.ts';
import { encodeFrame } from './index.ts';
import { startServer } from './testdata/test-server.ts';

const text = (words: string) => encodeFrame(Buffer.from(words), false);

describe('messages', () => {
  test('go both ways, whole and in order', async () => {
    const { port, accepted, messages } = await startServer();
    const client = await openWebSocket({ port });
    const connection = await accepted.first(() => true);
    expect(connection.send(text('one'))).toBe('queued');
    connection.send(encodeFrame(Buffer.from([1, 2]), true));
    expect(await client.nextText()).toBe('one');
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.binary, fin: true, masked: false });
    client.sendText('hello');
    client.sendBinary(Buffer.from('bytes'));
    const seen = await messages.atLeast(2);
    expect(seen.map(({ text, binary }) => [text, binary])).toEqual([
      ['hello', false],
      ['bytes', true],
    ]);
  });
});

describe('closing', () => {
  test('a close frame is echoed with its code and without its reason', async () => {
    const { port, ends } = await startServer();
    const client = await openWebSocket({ port });
    client.sendClose(4000, 'xx');
    const end = await client.closed;
    expect(end).toEqual({ closeFrame: { code: 4000, reason: '' }, code: 4000, orderly: true });
    expect(client.frames.items[0]?.payload).toEqual(Buffer.from([0x0f, 0xa0]));
    expect(ends.items).toEqual([{ cause: 'client_close', code: 4000, reason: 'xx' }]);
  });
});
