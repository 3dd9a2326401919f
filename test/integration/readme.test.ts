/**
 * The README's ten lines do what it says: taken from the page, run, and talked to.
 *
 * Only the two port numbers are exchanged, because a test takes none that may be in use.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  cleanUpAfterwards,
  freePort,
  openWebSocket,
  ROOT,
  request,
  startNode,
  temporaryFolder,
} from '../support/index.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(firstLine: string): string {
  const start = readme.indexOf(`\n${firstLine}\n`);
  expect(start, `${firstLine} is in the README`).toBeGreaterThan(0);
  return readme.slice(start + 1, readme.indexOf('```', start));
}

async function answering(url: string): Promise<void> {
  try {
    await request({ url });
  } catch {
    await answering(url);
  }
}

it('lets everybody hear what anybody says', async () => {
  const folder = temporaryFolder();
  const [appPort, nodePort] = [await freePort(), await freePort()];
  const withPorts = (text: string) =>
    text.replaceAll('8080', String(appPort)).replaceAll('9180', String(nodePort));
  const program = join(folder, 'app.mjs');
  writeFileSync(program, withPorts(block('// app.mjs')));
  const child = spawn(process.execPath, [program], { stdio: 'inherit' });
  cleanUpAfterwards(() => {
    child.kill('SIGKILL');
  });
  await answering(`http://127.0.0.1:${appPort}/connect`);
  const node = await startNode({ config: withPorts(block('# config.yml')) });

  const ada = await openWebSocket({ port: node.addresses.public.port });
  const bob = await openWebSocket({ port: node.addresses.public.port });
  expect([await ada.nextText(), await bob.nextText()]).toEqual(['welcome', 'welcome']);
  ada.sendText('hello');
  expect([await ada.nextText(), await bob.nextText()]).toEqual(['hello', 'hello']);
  const lines = block('// app.mjs')
    .split('\n')
    .filter((line) => line.trim() !== '');
  expect(lines.length, 'about ten lines').toBeLessThanOrEqual(13);
});
