/**
 * `arrokoth/browser` in a real browser: workers that are killed, a node that is drained and comes
 * back, a key that is taken by another page, a node that is full.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import {
  cleanUpAfterwards,
  freePort,
  ROOT,
  type RunningNode,
  requireProgram,
  startApplication,
  startNode,
} from '../support/index.ts';
import { enter, hears, say, startRoom, type Tab } from './chat-room.ts';

const chromium = requireProgram('chromium');

describe.skipIf(chromium === null)('a chat', () => {
  interface Chat {
    readonly node: RunningNode;
    readonly callback: Record<string, string>;
    readonly ada: Tab;
    readonly bob: Tab;
  }

  async function startChat(workers: number): Promise<Chat> {
    const appPort = await freePort();
    const room = `http://127.0.0.1:${appPort}`;
    const callback = { connect: `${room}/connect`, receive: `${room}/receive`, close: `${room}/close` };
    const node = await startNode({ config: { workers, callback } });
    await startRoom(appPort, node.addresses.public.url);
    const browser = await startBrowser(chromium as string);
    const [ada, bob] = await Promise.all([enter(browser, room, 'Ada'), enter(browser, room, 'Bob')]);
    return { node, callback, ada, bob };
  }

  /** From now on the page notes what it shows of its connection: a loss may be over in a moment. */
  async function watch(tab: Tab): Promise<void> {
    await tab.page.evaluate(`(() => {
      const state = document.getElementById('state');
      const { dataset } = document.documentElement;
      const note = () => { dataset.shown = (dataset.shown ?? '') + ' ' + state.dataset.state; };
      new MutationObserver(note).observe(state, { attributeFilter: ['data-state'] });
    })()`);
  }

  /** The connection was lost since `watch`, and is there again with a new hello. */
  async function comesBack(tab: Tab): Promise<void> {
    await tab.page.locator('html[data-shown*="waiting"][data-shown$="open"]').waitFor();
  }

  async function talk({ ada, bob }: Chat, words: string): Promise<void> {
    await say(ada, `${words}, Bob?`);
    await hears(bob, `${words}, Bob?`);
    await say(bob, `${words}, Ada.`);
    await hears(ada, `${words}, Ada.`);
  }

  it('goes on after its workers were killed', async () => {
    const chat = await startChat(2);
    await talk(chat, 'All well');
    const lost = chat.node.workers();
    expect(lost).toHaveLength(2);
    await Promise.all([watch(chat.ada), watch(chat.bob)]);
    for (const pid of lost) process.kill(pid, 'SIGKILL');
    await Promise.all([comesBack(chat.ada), comesBack(chat.bob)]);
    await talk(chat, 'Still here');
    await chat.ada.page.getByText('2 people here').waitFor();
  });

  it('goes on when a node that was stopped is started again', async () => {
    const chat = await startChat(1);
    const { port } = chat.node.addresses.public;
    const { folder } = chat.node;
    await Promise.all([watch(chat.ada), watch(chat.bob)]);
    expect((await chat.node.stop()).code).toBe(0);
    await startNode({ config: { port, callback: chat.callback }, folder });
    await Promise.all([comesBack(chat.ada), comesBack(chat.bob)]);
    await talk(chat, 'There again');
    await chat.ada.page.getByText('2 people here').waitFor();
  });
});

/** What a page of its own saw: a status, or a message. */
interface Seen {
  readonly state: string;
  readonly code: number | null;
  readonly httpStatus: number | null;
  readonly retryInMs: number | null;
}

describe.skipIf(chromium === null)('a page of another origin than the node', () => {
  /** Serves an empty page and the module, and nothing else. */
  async function servePage(): Promise<string> {
    const server = createServer((incoming, outgoing) => {
      const file = join(ROOT, 'dist/browser', basename(incoming.url ?? ''));
      const isModule = file.endsWith('.js') && existsSync(file);
      outgoing.setHeader('Content-Type', isModule ? 'text/javascript' : 'text/html');
      outgoing.end(isModule ? readFileSync(file) : '<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUpAfterwards(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Opens a page whose clock stands still for waiting, and connects from it. */
  async function connectFrom(browser: Browser, pageUrl: string, url: string): Promise<Page> {
    const page = await browser.newPage();
    await page.clock.install();
    // A quarter of each bound is waited: half a second after the first failure.
    await page.addInitScript('Math.random = () => 0.25');
    await page.goto(pageUrl);
    await page.evaluate(`import('/index.js').then(({ ArrokothSocket }) => {
      globalThis.seen = [];
      globalThis.socket = new ArrokothSocket(${JSON.stringify(url)});
      socket.addEventListener('status', ({ detail }) => seen.push(detail));
      socket.connect();
    })`);
    return page;
  }

  async function sees(page: Page, state: string): Promise<Seen> {
    await page.waitForFunction(`seen.at(-1).state === '${state}'`);
    return (await page.evaluate('seen.at(-1)')) as Seen;
  }

  const states = (page: Page): Promise<unknown> => page.evaluate('seen.map(({ state }) => state)');

  it('stays away, and says so, when another one takes its session key', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback } });
    const pageUrl = await servePage();
    const browser = await startBrowser(chromium as string);
    const url = `ws://127.0.0.1:${node.addresses.public.port}/connect?key=ada`;
    const first = await connectFrom(browser, pageUrl, url);
    await sees(first, 'open');
    const second = await connectFrom(browser, pageUrl, url);
    expect(await sees(first, 'replaced')).toMatchObject({ code: 4409 });
    await sees(second, 'open');
    // An hour of its timers goes by, and nobody has tried.
    await first.clock.fastForward(3_600_000);
    expect([await states(first), await states(second)]).toEqual([
      ['connecting', 'open', 'replaced'],
      ['connecting', 'open'],
    ]);
    expect(application.calls('connect')).toHaveLength(2);

    await first.evaluate('socket.connect()');
    await sees(first, 'open');
    await sees(second, 'replaced');
  });

  it('reads Retry-After of a full node, and gets in when there is room', async () => {
    const application = await startApplication();
    const config = { workers: 1, limits: { connections: 1 }, callback: application.callback };
    const node = await startNode({ config });
    const pageUrl = await servePage();
    const browser = await startBrowser(chromium as string);
    const url = `ws://127.0.0.1:${node.addresses.public.port}/connect`;
    const first = await connectFrom(browser, pageUrl, `${url}?key=ada`);
    await sees(first, 'open');
    const second = await connectFrom(browser, pageUrl, `${url}?key=bob`);
    const waiting = await sees(second, 'waiting');
    expect(waiting).toMatchObject({ code: 1006, httpStatus: 503 });
    expect(waiting.retryInMs, 'a second of Retry-After, half a second of ours').toBeGreaterThan(1_000);
    expect(application.calls('connect'), 'the application is not bothered').toHaveLength(1);

    await first.evaluate('socket.close()');
    await application.waitFor('close', 1);
    await second.clock.fastForward(60_000);
    await sees(second, 'open');
  });

  it('is told by the application to stay away', async () => {
    const application = await startApplication({
      establish: () => ({ status: 403 }),
    });
    const node = await startNode({ config: { callback: application.callback } });
    const pageUrl = await servePage();
    const browser = await startBrowser(chromium as string);
    const page = await connectFrom(browser, pageUrl, `ws://127.0.0.1:${node.addresses.public.port}/connect`);
    expect(await sees(page, 'refused')).toMatchObject({ code: 1008 });
    await page.clock.fastForward(3_600_000);
    expect(application.calls('connect')).toHaveLength(1);
  });
});
