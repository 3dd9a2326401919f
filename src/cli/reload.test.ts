/** `arrokoth reload`: which node is asked, and what its answer looks like to people and scripts. */
import { describe, expect, test } from 'vitest';
import { failed, ok } from '../base/index.ts';
import type { ControlFailure, ReloadReport } from '../process/index.ts';
import { runArrokoth } from './arrokoth.ts';
import type { CliDoors } from './cli-doors.ts';

const NOTHING: ReloadReport = {
  ...{ result: 'unchanged', applied: [], restart: [] },
  ...{ problems: [], warnings: [], late: [] },
};

/** A world with one file and one node, whose answer the test decides. */
async function run(words: readonly string[], answer: ReloadReport | ControlFailure, text = 'port: 7000\n') {
  const seen = { stdout: '', stderr: '', asked: [] as string[] };
  const doors = {
    version: '1.2.3',
    env: {},
    stdout: (said: string) => {
      seen.stdout += said;
    },
    stderr: (said: string) => {
      seen.stderr += said;
    },
    readText: () => text,
    absolutePath: (path: string) => `/here/${path}`,
    dataDirectories: ({ port }: { port: number }) => [`/here/data/${port}`, '/tmp/fallback'],
    askNode: async (dataDirs: readonly string[], command: string) => {
      seen.asked = [command, ...dataDirs];
      return 'result' in answer ? ok(answer) : failed(answer);
    },
  } as unknown as CliDoors;
  return { exitCode: await runArrokoth(['reload', ...words], doors), seen };
}

describe('arrokoth reload', () => {
  test('says what was applied and what waits', async () => {
    const report: ReloadReport = {
      ...NOTHING,
      ...{ result: 'applied', applied: ['app.token'], restart: ['workers'], warnings: ['mind the gap'] },
    };
    const { exitCode, seen } = await run(['-c', 'c.yml'], report);
    expect(exitCode).toBe(0);
    expect(seen.asked).toEqual(['reload', '/here/data/7000', '/tmp/fallback']);
    const applied = 'Reloaded.\nApplied:\n  app.token\n';
    expect(seen.stdout).toBe(`${applied}Waiting for a restart of the node:\n  workers\n`);
    expect(seen.stderr).toBe('warning: mind the gap\n');
  });

  test('fails when the file was refused, and says why', async () => {
    const report: ReloadReport = { ...NOTHING, result: 'refused', problems: ['c.yml:1:1 port: wrong'] };
    const { exitCode, seen } = await run(['--data-dir', 'data'], report);
    expect([exitCode, seen.stdout, seen.asked[1]]).toEqual([1, '', '/here/data']);
    expect(seen.stderr).toBe('Refused; nothing has changed.\n  c.yml:1:1 port: wrong\n');
  });

  test('fails when a worker has not answered', async () => {
    const { exitCode, seen } = await run(['--data-dir', 'data'], { ...NOTHING, late: ['gateway/1'] });
    expect([exitCode, seen.stderr]).toEqual([1, expect.stringContaining('taken it over:\n  gateway/1\n')]);
  });

  test('prints one line of JSON for scripts, whatever came of it', async () => {
    const report: ReloadReport = { ...NOTHING, result: 'refused', problems: ['no'] };
    const { exitCode, seen } = await run(['--data-dir', 'data', '--json'], report);
    expect([exitCode, seen.stdout, seen.stderr]).toEqual([1, `${JSON.stringify(report)}\n`, '']);
  });

  test('tells a node that is not there from one that fails', async () => {
    const absent = await run(['--data-dir', 'data'], { type: 'absent' });
    expect([absent.exitCode, absent.seen.stderr]).toEqual([2, expect.stringContaining('in /here/data.')]);
    const broken = await run(['--data-dir', 'data'], {
      type: 'failed',
      message: 'too many commands at once',
    });
    expect([broken.exitCode, broken.seen.stderr]).toEqual([1, 'The node says: too many commands at once.\n']);
  });

  test('cannot tell the directory from a wrong file, and says so', async () => {
    const { exitCode, seen } = await run(['--config', 'c.yml'], NOTHING, 'port: many\n');
    expect([exitCode, seen.asked]).toEqual([1, []]);
    expect(seen.stderr).toMatch(
      /^c\.yml:1:1 port: .*\nThe node was not asked\. It can be, with --data-dir\.\n$/s,
    );
  });

  test.each([[[]], [['-c', 'c.yml', '--data-dir', 'data']], [['--wrong']]])('refuses %j', async (words) => {
    const { exitCode, seen } = await run(words, NOTHING);
    expect([exitCode, seen.asked]).toEqual([2, []]);
  });
});
