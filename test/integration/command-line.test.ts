/**
 * The two programs as processes: words, exit codes, signals. Flags in detail are tested beside them.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, request, startNode, temporaryFolder } from '../support/index.ts';

function run(bin: 'arrokoth' | 'ekbo', args: readonly string[], cwd = ROOT) {
  const ended = spawnSync(process.execPath, [join(ROOT, `dist/main/${bin}.js`), ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

describe('arrokoth', () => {
  test('tells its version and refuses nonsense', () => {
    expect(run('arrokoth', ['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(run('arrokoth', ['fly']).code).toBe(2);
  });

  test('lists all faults of a file by line and starts nothing', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'bad.yml'), 'port: 0\nidle_timeout: soon\ncolour: red\n');
    for (const words of [
      ['config', 'check', 'bad.yml'],
      ['start', '--config', 'bad.yml'],
    ]) {
      const { code, stdout, stderr } = run('arrokoth', words, folder);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/bad\.yml:2\b.*idle_timeout/);
      expect(stderr).toMatch(/bad\.yml:3\b.*colour/);
    }
    expect(run('arrokoth', ['start', '--config', 'gone.yml'], folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('gone.yml'),
    });
  });

  test('says where a node listens, and ends with 0 after SIGTERM', async () => {
    const node = await startNode({ config: { api: { listen: '127.0.0.1:0' } } });
    // Log and words come over pipes of their own, so that either may be first.
    await expect.poll(() => node.stdout()).toContain(`api     ${node.addresses.api?.url}`);
    expect(node.stdout()).toContain(`public  ${node.addresses.public.url}`);
    const { code } = await node.stop();
    expect(code).toBe(0);
    await expect(request({ url: node.addresses.public.url })).rejects.toThrow();
  });

  test('refuses an address and a data directory that are in use', async () => {
    const node = await startNode({ config: {} });
    const second = (config: object): { code: number | null; stderr: string } => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'config.yml'), JSON.stringify({ host: '127.0.0.1', ...config }));
      return run('arrokoth', ['start', '--config', 'config.yml'], folder);
    };
    const { port } = node.addresses.public;
    const refused = second({ port });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('LISTEN_FAILED');
    expect(refused.stderr).toContain(`127.0.0.1:${port}`);
    const locked = second({ port: 0, node: { data_dir: join(node.folder, 'data') } });
    expect(locked.code).toBe(1);
    expect(locked.stderr).toContain('DATA_DIR_IN_USE');
  });
});

describe('ekbo', () => {
  test('runs a node and advertises the port that was bound', async () => {
    const node = await startNode({
      bin: 'ekbo',
      config: { port: 1 },
      args: ['-port', '0', '-log-level=info'],
    });
    expect((await request({ url: `${node.addresses.public.url}/ping` })).text).toBe('{"result":"OK"}');
    expect((await node.stop('SIGINT')).code).toBe(0);
  });

  test('prints version and usage as scripts expect', () => {
    expect(run('ekbo', ['-version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ekbo version: \S+\n$/),
    });
    expect(run('ekbo', ['-h'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('-log-level'),
    });
    expect(run('ekbo', ['-wat']).code).toBe(2);
    expect(run('ekbo', ['-port', '1', '-sock', '/a'])).toMatchObject({ code: 1 });
  });
});
