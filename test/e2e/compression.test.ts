/**
 * permessage-deflate as a real browser speaks it: what it offers is agreed on, and messages arrive
 * both ways, compressed.
 */
import { describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { request, requireProgram, startApplication, startNode } from '../support/index.ts';

const chromium = requireProgram('chromium');
const ROWS = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: 'Zo\u00eb', open: true })));

/** What the page keeps of its connection. */
interface PageState {
  socket: WebSocket;
  heard: (string | number[])[];
}

describe.skipIf(chromium === null)('a browser', () => {
  it('agrees on compression, and hears and says everything as it is', async () => {
    const application = await startApplication({
      connect: () => ({ headers: ['X-Kuiperbelt-Session', 'ada'], body: ROWS }),
    });
    const { connect, receive } = application.callback;
    const api = { listen: '127.0.0.1:0' };
    const node = await startNode({
      config: { callback: { connect, receive }, api, compression: { enabled: true } },
    });
    const { url } = node.addresses.public;
    const page = await (await startBrowser(chromium as string)).newPage();
    await page.evaluate(
      async (address) => {
        const socket = new WebSocket(address);
        socket.binaryType = 'arraybuffer';
        const state: PageState = { socket, heard: [] };
        Object.assign(globalThis, { state });
        socket.onmessage = ({ data }) => {
          state.heard.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
        };
        await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
      },
      `${url.replace('http', 'ws')}/connect`,
    );
    const hear = async (count: number): Promise<PageState['heard']> => {
      const heard = await page.waitForFunction((wanted) => {
        const { state } = globalThis as unknown as { state: PageState };
        return state.heard.length >= wanted ? state.heard : null;
      }, count);
      return (await heard.jsonValue()) as PageState['heard'];
    };
    const extensions = await page.evaluate(() => {
      return (globalThis as unknown as { state: PageState }).state.socket.extensions;
    });
    expect(extensions).toBe('permessage-deflate; server_no_context_takeover; client_no_context_takeover');

    const send = (type: string, body: string) =>
      request({
        url: `${url}/send`,
        headers: ['X-Kuiperbelt-Session', 'ada', 'Content-Type', type],
        body,
      });
    for (const [type, body] of [
      ['text/plain', `${ROWS}!`],
      ['text/plain', 'short'],
      ['application/octet-stream', ROWS],
    ] as const) {
      expect((await send(type, body)).status).toBe(200);
    }
    expect(await hear(4)).toEqual([ROWS, `${ROWS}!`, 'short', [...Buffer.from(ROWS)]]);

    const words = ['a', ROWS, '', ROWS.repeat(20)];
    await page.evaluate((texts) => {
      const { state } = globalThis as unknown as { state: PageState };
      for (const text of texts) state.socket.send(text);
    }, words);
    const calls = await application.waitFor('receive', words.length);
    expect(calls.map(({ body }) => body.toString())).toEqual(words);
    const figures = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    const figure = (name: string) =>
      Number(new RegExp(`^arrokoth_${name}\\{.*\\} (\\d+)$`, 'm').exec(figures)?.[1]);
    expect(figure('deflated_messages_total')).toBe(3);
    expect(figure('inflated_messages_total')).toBeGreaterThanOrEqual(2);
  });
});
