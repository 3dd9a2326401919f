/**
 * A headless Chromium of the operating system's, driven for a test.
 *
 * Nothing is downloaded, and the browser is kept from calling home: a test must not depend on a
 * network. Not exported by `index.ts`, because few tests need a browser and loading it takes time.
 */
import { type Browser, chromium } from 'playwright-core';
import { cleanUpAfterwards } from './cleanup.ts';

/** Starts the browser at `executablePath`; it is closed with the test or the file. */
export async function startBrowser(executablePath: string): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    args: [
      // Chromium refuses its own sandbox to root, who runs tests in containers.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  cleanUpAfterwards(() => browser.close());
  return browser;
}
