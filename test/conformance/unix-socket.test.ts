/** A node behind a unix socket, and the file that it leaves or does not leave behind. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWebSocket, startApplication, startNode, temporaryFolder } from '../support/index.ts';
import { ALL_WELL, ApplicationCalls } from './application-calls.ts';
import { runProgram } from './run-program.ts';

describe.each([1, 2])('a unix socket with %i worker(s)', (workers) => {
  it('serves clients and the application, and is gone after a stop', async () => {
    const application = await startApplication();
    const sock = join(temporaryFolder(), 'node.sock');
    const node = await startNode({ config: { workers, sock, port: 9_180, callback: application.callback } });
    expect(statSync(sock).isSocket()).toBe(true);
    const calls = new ApplicationCalls({ url: '', socketPath: sock });
    const client = await openWebSocket({ socketPath: sock, path: '/connect?key=k' });
    expect(await calls.send({ sessions: ['k'], body: 'through a file' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('through a file');
    const [connect] = await application.waitFor('connect', 1);
    expect(connect?.headerLines('X-Kuiperbelt-Endpoint')).toHaveLength(1);
    client.end();
    expect((await node.stop()).code).toBe(0);
    expect(existsSync(sock)).toBe(false);
  });
});

describe('a socket file that is there already', () => {
  it('is replaced when nobody listens on it', async () => {
    const folder = temporaryFolder();
    const sock = join(folder, 'node.sock');
    const first = await startNode({ config: { sock }, folder });
    await first.killAll();
    expect(existsSync(sock)).toBe(true);
    // Decided: the original refuses to start until somebody deletes the file.
    await startNode({ config: { sock }, folder });
    expect(await new ApplicationCalls({ url: '', socketPath: sock }).told('/ping')).toEqual(ALL_WELL);
  });

  it('stops the start when somebody listens on it, or when it is no socket', async () => {
    const folder = temporaryFolder();
    const sock = join(folder, 'node.sock');
    await startNode({ config: { sock }, folder });
    const other = temporaryFolder();
    const file = join(other, 'precious.txt');
    writeFileSync(file, 'keep me');
    for (const taken of [sock, file]) {
      const config = { sock: taken, node: { data_dir: join(other, 'data') } };
      writeFileSync(join(other, 'config.yml'), JSON.stringify(config));
      const run = await runProgram('arrokoth', ['start', '--config', 'config.yml'], { cwd: other });
      expect([run.code, run.stdout]).toEqual([1, '']);
      expect(run.stderr).toContain('LISTEN_FAILED');
      expect(run.stderr).toContain(taken);
    }
    expect(statSync(file).size).toBe(7);
    expect(await new ApplicationCalls({ url: '', socketPath: sock }).told('/ping')).toEqual(ALL_WELL);
  });
});
