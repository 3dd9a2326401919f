/** `ekbo` on the command line, as service files and scripts of kuiperbelt's users call it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cleanUpAfterwards,
  freePort,
  handshake,
  openWebSocket,
  ROOT,
  request,
  startApplication,
  startNode,
  temporaryFolder,
} from '../support/index.ts';
import { BODY } from './application-calls.ts';
import { runProgram } from './run-program.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** A folder with a `config.yml` that works. */
function folderWithConfig(config: Record<string, unknown> = {}): string {
  const folder = temporaryFolder();
  const whole = { host: '127.0.0.1', port: 0, node: { data_dir: join(folder, 'data') }, ...config };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(whole));
  return folder;
}

describe('ekbo that starts nothing', () => {
  it.each([['-version'], ['--version'], ['-version=true']])('prints its version for %s', async (flag) => {
    expect(await runProgram('ekbo', [flag])).toEqual({
      code: 0,
      stdout: `ekbo version: ${version}\n`,
      stderr: '',
    });
  });

  it('shows its flags on stderr for -h, and ends well', async () => {
    const run = await runProgram('ekbo', ['-h']);
    expect([run.code, run.stdout]).toEqual([0, '']);
    for (const flag of ['-config', '-log-level', '-port', '-sock', '-gops-addr', '-version']) {
      expect(run.stderr).toContain(`  ${flag}`);
    }
  });

  it('shows its flags for one that it does not know, and ends with 2', async () => {
    const run = await runProgram('ekbo', ['-prot=1']);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toMatch(/-prot\nUsage of ekbo:\n/);
  });

  it('refuses -port beside -sock', async () => {
    const folder = folderWithConfig();
    const run = await runProgram('ekbo', ['-port', '0', '-sock', 'x.sock'], { cwd: folder });
    expect([run.code, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toMatch(/^FATAL.*-port.*-sock/);
  });

  it('names the file that it cannot read', async () => {
    const run = await runProgram('ekbo', ['-config=absent.yml'], { cwd: temporaryFolder() });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^FATAL.*absent\.yml/);
  });

  it('names the line of a wrong value', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.yml'), 'port: 0\nsend_timeout: "10"\n');
    const run = await runProgram('ekbo', ['-config=config.yml'], { cwd: folder });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^FATAL: config\.yml:2:\d+ send_timeout: expected /);
  });

  it('ends with 1 when the port is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    cleanUpAfterwards(() => void holder.close());
    const { port } = holder.address() as { port: number };
    const run = await runProgram('ekbo', [], { cwd: folderWithConfig({ port }) });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`127.0.0.1:${port}`);
    expect(run.stderr).toContain('LISTEN_FAILED');
  });
});

describe('ekbo that starts a node', () => {
  it('takes config.yml of the folder it stands in, and ends with 0 on SIGTERM', async () => {
    const run = await runProgram('ekbo', [], { cwd: folderWithConfig(), stopAfter: 'serves as' });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('node ready');
  });

  it('stops reading flags at the first word that is none', async () => {
    const run = await runProgram('ekbo', ['--log-level', 'error', 'word', '-version'], {
      cwd: folderWithConfig(),
      stopAfter: 'serves as',
    });
    // Not the version, but a node that says nothing below an error.
    expect([run.code, run.stderr]).toEqual([0, '']);
  });

  it('listens on -port instead of the port in the file, and names it to the application', async () => {
    const [inFile, given] = await Promise.all([freePort(), freePort()]);
    const application = await startApplication();
    const node = await startNode({
      bin: 'ekbo',
      config: { port: inFile, callback: application.callback, node: { name: 'n@127.0.0.1' } },
      args: ['-port', String(given)],
    });
    expect(node.addresses.public.port).toBe(given);
    expect((await request({ url: `http://127.0.0.1:${given}/ping` })).text).toBe(BODY.ok);
    await expect(request({ url: `http://127.0.0.1:${inFile}/ping` })).rejects.toThrow('ECONNREFUSED');
    await openWebSocket({ port: given });
    const [connect] = await application.waitFor('connect', 1);
    // Decided: the port that is bound, where the original names the file's.
    expect(connect?.header('X-Kuiperbelt-Endpoint')).toBe(`127.0.0.1:${given}`);
  });

  it('listens on -sock instead of the port in the file', async () => {
    const sock = join(temporaryFolder(), 'ekbo.sock');
    const node = await startNode({ bin: 'ekbo', config: {}, args: [`-sock=${sock}`] });
    expect(node.addresses.public.socketPath).toContain(sock);
    expect((await request({ socketPath: sock, path: '/ping' })).text).toBe(BODY.ok);
  });

  it('prefers the socket of the file to -port', async () => {
    const sock = join(temporaryFolder(), 'file.sock');
    const port = await freePort();
    const node = await startNode({ bin: 'ekbo', config: { sock }, args: ['-port', String(port)] });
    expect((await request({ socketPath: sock, path: '/ping' })).text).toBe(BODY.ok);
    await expect(request({ url: `http://127.0.0.1:${port}/ping` })).rejects.toThrow('ECONNREFUSED');
    expect(node.log.items.some((line) => line.level === 'warn' && line.msg.includes('-port'))).toBe(true);
  });

  it('takes an unknown log level for debug, and -gops-addr for nothing', async () => {
    const args = ['-log-level=chatty', '-gops-addr=127.0.0.1:0'];
    const node = await startNode({ bin: 'ekbo', config: {}, args });
    const warnings = node.log.items.filter((line) => line.level === 'warn').map((line) => line.msg);
    expect(warnings.some((text) => text.includes('chatty'))).toBe(true);
    expect(warnings.some((text) => text.includes('-gops-addr'))).toBe(true);
    const { port } = node.addresses.public;
    const stranger = handshake({ port, rawRequest: 'this is no HTTP\r\n\r\n' });
    expect((await stranger.answered).status).toBe(400);
    await node.waitForLog((line) => line.level === 'debug');
  });
});

describe('arrokoth', () => {
  it('checks a file without starting it', async () => {
    const folder = folderWithConfig({ workers: 2 });
    const good = await runProgram('arrokoth', ['config', 'check', 'config.yml'], { cwd: folder });
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/^OK: config\.yml /);
    writeFileSync(join(folder, 'config.yml'), 'prot: 1\nworkers: none\n');
    const bad = await runProgram('arrokoth', ['config', 'check', 'config.yml'], { cwd: folder });
    expect([bad.code, bad.stdout]).toEqual([1, '']);
    expect(bad.stderr).toMatch(
      /^config\.yml:1:1 prot: unknown key, did you mean port\?\nconfig\.yml:2:\d+ workers: /,
    );
  });

  it('says where it listens, and stops on SIGINT and SIGTERM alike', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const node = await startNode({ config: { node: { name: 'n@127.0.0.1' } } });
      expect((await node.stop(signal)).code).toBe(0);
      expect(node.stdout()).toContain('serves as n@127.0.0.1');
      expect(node.stdout()).toContain(node.addresses.public.url);
    }
  });
});
