/**
 * The demonstration as a visitor meets it: two tabs of a real browser chat, curl speaks to both.
 *
 * With `UPDATE_SCREENSHOTS=1` it also takes the picture of the README.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { freePort, ROOT, requireProgram, startDemo, startNode } from '../support/index.ts';
import { connected, enter, hears, say, startRoom, type Tab } from './chat-room.ts';

const chromium = requireProgram('chromium');
const curl = requireProgram('curl');

describe.skipIf(chromium === null || curl === null)('two tabs', () => {
  it('chat with each other, and see each other come and go', async () => {
    const demo = await startDemo();
    const browser = await startBrowser(chromium as string);
    const ada = await enter(browser, demo.pageUrl, 'Ada Lovelace', 'light');
    await ada.page.getByText('only you are here').waitFor();
    const bob = await enter(browser, demo.pageUrl, 'Bob', 'dark');
    await hears(ada, 'Bob joined');
    await ada.page.getByText('2 people here').waitFor();
    await bob.page.getByText('2 people here').waitFor();

    const talk: [Tab, string][] = [
      [ada, 'Is anybody out there?'],
      [bob, 'Just me. Who holds our connections?'],
      [ada, 'Arrokoth. The room itself is 200 lines of plain HTTP.'],
      [bob, 'And not one WebSocket in it. Nice.'],
    ];
    for (const [speaker, text] of talk) {
      await say(speaker, text);
      await Promise.all([hears(ada, text), hears(bob, text)]);
    }
    expect(await ada.page.locator('.mine .words').allTextContents()).toEqual([talk[0]?.[1], talk[2]?.[1]]);
    expect(await bob.page.locator('.words').allTextContents()).toEqual(talk.map(([, text]) => text));

    for (const line of demo.curlLines) execFileSync('sh', ['-c', line.replace('curl ', 'curl -sSf ')]);
    await Promise.all([hears(ada, 'hello from curl'), hears(bob, 'hello from curl')]);
    expect(demo.curlLines).toHaveLength(3);
    if (process.env.UPDATE_SCREENSHOTS === '1') await takePicture(browser, ada.page, bob.page);

    const markup = '<img src=x onerror="document.title=1"> & <b>bold</b>';
    await say(bob, markup);
    await hears(ada, markup);
    await bob.page.close();
    await hears(ada, 'Bob left');
    await ada.page.getByText('only you are here').waitFor();
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
    expect(await demo.interrupt()).toBe(0);
  });

  it('connect again after the node was killed, and nobody is counted twice', async () => {
    const appPort = await freePort();
    const application = `http://127.0.0.1:${appPort}`;
    const callback = {
      connect: `${application}/connect`,
      receive: `${application}/receive`,
      close: `${application}/close`,
    };
    const first = await startNode({ config: { callback } });
    await startRoom(appPort, first.addresses.public.url);
    const browser = await startBrowser(chromium as string);
    const ada = await enter(browser, application, 'Ada', 'light');
    await first.killAll();
    await ada.page
      .getByRole('status')
      .getByText(/^(again in \d+ s|connecting)$/)
      .waitFor();
    expect(await ada.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);

    const port = first.addresses.public.port;
    await startNode({ config: { port, callback }, folder: first.folder });
    await connected(ada);
    // The end of the old connection is told by the new node, so the room does not count it any more.
    await ada.page.getByText('only you are here').waitFor();
  });
});

/** Both windows side by side on one sheet. */
async function takePicture(browser: Browser, left: Page, right: Page): Promise<void> {
  const windows = await Promise.all(
    [left, right].map(async (page) => {
      const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
      const source = `data:image/png;base64,${picture.toString('base64')}`;
      return `<figure><i></i><i></i><i></i><img src="${source}"></figure>`;
    }),
  );
  const sheet = await browser.newPage({ viewport: { width: 1_080, height: 724 }, deviceScaleFactor: 2 });
  await sheet.setContent(`<!doctype html><style>
    body { margin: 0; height: 100vh; display: flex; gap: 32px; place-content: center; place-items: center;
      background: #e8d9cb; }
    figure { margin: 0; padding-top: 30px; width: 480px; border-radius: 12px; overflow: hidden;
      position: relative; background: #e9e1d8; box-shadow: 0 18px 36px -14px rgb(60 30 10 / 55%); }
    figure + figure { background: #0d0b09; }
    img { display: block; width: 480px; }
    i { position: absolute; top: 10px; width: 10px; height: 10px; border-radius: 50%; background: #b9a797; }
    figure + figure i { background: #4a4038; }
    i:nth-child(1) { left: 14px } i:nth-child(2) { left: 32px } i:nth-child(3) { left: 50px }
  </style>${windows.join('')}`);
  await sheet.waitForFunction('[...document.images].every((image) => image.complete)');
  writeFileSync(join(ROOT, 'docs/images/chat.png'), await sheet.screenshot());
  await sheet.close();
}
