/** The test clients against a server that is known to be right: a tool that lies would hide faults. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { LightClient, OPCODE, openWebSocket, post, request, startApplication } from './index.ts';

const server = new WebSocketServer({ noServer: true });
const http = createServer((_, response) => response.writeHead(418, { 'X-Two': ['a', 'b'] }).end('no'));
let port = 0;

beforeAll(async () => {
  http.on('upgrade', (incoming, socket, head) => {
    if (incoming.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      return;
    }
    server.handleUpgrade(incoming, socket, head, (client) => {
      client.on('message', (data, binary) => client.send(data, { binary }));
      client.on('pong', (data) => client.send(`pong ${data}`));
      client.on('error', () => undefined);
      client.send('hello');
      if (incoming.url === '/ping') client.ping('mark');
      if (incoming.url === '/bye') client.close(4001, 'enough');
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  port = (http.address() as AddressInfo).port;
});

afterAll(() => {
  http.close();
  http.closeAllConnections();
});

describe('RawClient', () => {
  it('echoes messages of every length encoding', async () => {
    const client = await openWebSocket({ port });
    expect(await client.nextText()).toBe('hello');
    for (const length of [0, 125, 126, 65_535, 65_536, 200_000]) {
      client.sendBinary(Buffer.alloc(length, 7));
      const frame = await client.nextFrame();
      expect({ opcode: frame.opcode, length: frame.payload.length, masked: frame.masked }).toEqual({
        opcode: OPCODE.binary,
        length,
        masked: false,
      });
    }
    client.sendClose(1000, 'done');
    expect(await client.closed).toEqual({
      closeFrame: { code: 1000, reason: 'done' },
      code: 1000,
      orderly: true,
    });
  });

  it('is told what it did wrong', async () => {
    const client = await openWebSocket({ port });
    client.sendFrame({ payload: 'x', masked: false });
    expect((await client.closed).code).toBe(1002);
  });

  it('reports a refused handshake with its body', async () => {
    await expect(openWebSocket({ port, path: '/refused' })).rejects.toThrow('403 "no"');
  });

  it('fails when it waits for a frame that cannot come', async () => {
    const client = await openWebSocket({ port });
    await client.nextFrame();
    const next = client.nextFrame();
    client.reset();
    await expect(next).rejects.toThrow('the connection ended');
  });
});

describe('LightClient', () => {
  it('counts messages, answers pings and close frames', async () => {
    const texts: string[] = [];
    const seen = new Promise<void>((resolve) => {
      void LightClient.open({
        port,
        path: '/ping',
        message: (client, text) => {
          texts.push(text);
          if (text === 'pong mark') client.sendText('x'.repeat(70_000));
          if (text.length === 70_000) resolve();
        },
      });
    });
    await seen;
    expect(texts.map((text) => text.length)).toEqual([5, 9, 70_000]);
    const client = await LightClient.open({ port, path: '/bye' });
    await client.closed;
    expect([client.messages, client.closeCode, client.closeReason]).toEqual([1, 4001, 'enough']);
  });

  it('rejects with the status of a refusal', async () => {
    await expect(LightClient.open({ port, path: '/refused' })).rejects.toThrow('403');
  });
});

describe('request', () => {
  it('keeps repeated header lines both ways', async () => {
    const application = await startApplication();
    const answer = await post(`${application.url}/connect?key=k`, ['X-A', '1', 'x-a', '2'], 'body');
    expect([answer.status, answer.header('x-kuiperbelt-session')]).toEqual([200, 'k']);
    const [call] = await application.waitFor('connect', 1);
    expect([call?.headerLines('X-A'), call?.body.toString(), call?.method]).toEqual([
      ['1', '2'],
      'body',
      'POST',
    ]);
    const two = await request({ url: `http://127.0.0.1:${port}/` });
    expect([two.status, two.headerLines('x-two'), two.text]).toEqual([418, ['a', 'b'], 'no']);
  });

  it('fails when the application cuts the connection', async () => {
    const application = await startApplication({ close: () => 'cut' });
    await expect(post(`${application.url}/close`, [])).rejects.toThrow();
    expect(application.calls('close')).toHaveLength(1);
  });
});
