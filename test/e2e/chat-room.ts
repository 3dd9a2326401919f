/**
 * The chat room of the examples and its visitors, for tests that drive them in a browser.
 *
 * A visitor does what a person does: reads the page, fills fields, presses buttons.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { cleanUpAfterwards, ROOT } from '../support/index.ts';

/** A visitor of the room. */
export interface Tab {
  readonly page: Page;
  /** Everything that the page should not have said: errors, refused resources. */
  readonly complaints: string[];
}

/** Opens the page and joins; resolves when the room has said hello. */
export async function enter(
  browser: Browser,
  pageUrl: string,
  name: string,
  look: 'light' | 'dark' = 'light',
): Promise<Tab> {
  const page = await browser.newPage({
    colorScheme: look,
    viewport: { width: 480, height: 600 },
    deviceScaleFactor: 2,
    locale: 'en-GB',
  });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(pageUrl);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join' }).click();
  const tab = { page, complaints };
  await connected(tab);
  return tab;
}

/** Resolves when the page says that it is connected. */
export function connected(tab: Tab): Promise<void> {
  return tab.page.getByRole('status').getByText('connected', { exact: true }).waitFor();
}

/** Says something to the room. */
export async function say(tab: Tab, text: string): Promise<void> {
  await tab.page.getByLabel('Message', { exact: true }).fill(text);
  await tab.page.getByRole('button', { name: 'Send' }).click();
}

/** Resolves when the page shows the words. */
export function hears(tab: Tab, text: string): Promise<void> {
  return tab.page.getByRole('log').getByText(text, { exact: true }).waitFor();
}

/** Starts the example's application for a node that callbacks reach at `port`. */
export async function startRoom(port: number, gatewayUrl: string): Promise<void> {
  const room = spawn(process.execPath, [join(ROOT, 'examples/chat/app.mjs')], {
    env: { ...process.env, PORT: String(port), GATEWAY_URL: gatewayUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUpAfterwards(() => {
    room.kill('SIGKILL');
  });
  await once(room.stdout, 'data');
}
