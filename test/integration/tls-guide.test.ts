/** The quick start of the guide about TLS, as it is printed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, request, requireProgram, startNode, temporaryFolder } from '../support/index.ts';

const GUIDE = readFileSync(join(ROOT, 'docs/guides/tls.md'), 'utf8');

/** The first fenced block of a language. */
function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(GUIDE)?.[1] ?? '';
}

it('makes a certificate and a node that speaks TLS with it', async () => {
  expect(requireProgram('openssl')).not.toBeNull();
  const folder = temporaryFolder();
  execFileSync('sh', ['-ec', block('sh')], { cwd: folder, stdio: 'pipe' });
  const data = `node: { data_dir: ${join(folder, 'data')} }\n`;
  const config = block('yaml').replace('port: 9443', 'port: 0') + data;
  const node = await startNode({ folder, config });
  expect(node.log.items.filter(({ level }) => level === 'warn')).toEqual([]);
  const tls = { ca: readFileSync(join(folder, 'tls.crt'), 'utf8'), servername: 'localhost' };
  const answer = await request({ url: `https://127.0.0.1:${node.addresses.public.port}/ping`, tls });
  expect(answer.status).toBe(200);
});
