/** The example of the guide, as it is printed but for its ports: a page and its WebSocket on one origin. */
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

it('serves what the guide says', async () => {
  const guide = readFileSync(join(ROOT, 'docs/guides/upstream.md'), 'utf8');
  const block = (language: string) =>
    new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(guide)?.[1] ?? '';
  const app = await freePort();
  const folder = temporaryFolder();
  const program = join(folder, 'app.mjs');
  writeFileSync(program, block('js').replace('8080', String(app)));
  const child = spawn(process.execPath, [program], { stdio: 'inherit' });
  cleanUpAfterwards(() => void child.kill('SIGKILL'));
  const config = block('yaml').replaceAll('8080', String(app)).replace('9180', '0').replace('9181', '0');
  expect(config).toContain('upstream:');
  const node = await startNode({ config: `${config}node: { data_dir: ${join(folder, 'data')} }\n` });
  const { port } = node.addresses.public;
  const url = `http://127.0.0.1:${port}`;
  await expect.poll(async () => (await request({ url })).text, { timeout: 20_000 }).toContain('<title>Hello');
  expect(await (await openWebSocket({ port })).nextText()).toBe('welcome');
  expect((await request({ url: `${url}/hooks/connect` })).status).toBe(404);
});
