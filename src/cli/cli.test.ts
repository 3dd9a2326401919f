import { describe, expect, test } from 'vitest';
import { FakeRandom } from '../../test/fakes/fake-random.ts';
import { ArrokothError, failed, ok } from '../base/index.ts';
import { systemLogDisk } from '../journal/index.ts';
import { runArrokoth } from './arrokoth.ts';
import type { CliDoors, NodeRequest } from './cli-doors.ts';
import { runEkbo } from './ekbo.ts';

/** Doors onto a small world of one file, in which nodes start at once and end with 0. */
function makeDoors(text: string | null, changes: Partial<CliDoors> = {}) {
  const seen = {
    stdout: '',
    stderr: '',
    read: [] as string[],
    requests: [] as NodeRequest[],
    steps: [] as string[],
  };
  const doors: CliDoors = {
    version: '1.2.3',
    env: { TOKEN: 'rose' },
    stdout: (words) => {
      seen.stdout += words;
    },
    stderr: (words) => {
      seen.stderr += words;
    },
    readText: (path) => {
      seen.read.push(path);
      if (text === null) throw new Error('ENOENT: no such file');
      return text;
    },
    checkTls: () => ({ problems: [], warnings: [] }),
    startNode: async (request) => {
      seen.requests.push(request);
      seen.steps.push('node starts');
      const addresses = [{ listener: 'public', address: '127.0.0.1:9180' }] as const;
      return ok({ name: 'n@h', addresses, ended: Promise.resolve(0) });
    },
    startApplication: async ({ port }) => {
      seen.steps.push('application starts');
      const stop = async () => {
        seen.steps.push('application stops');
      };
      return ok({ url: `http://127.0.0.1:${port}/`, ended: new Promise(() => {}), stop });
    },
    absolutePath: (path) => `/here/${path}`,
    dataDirectories: ({ port }) => [`/here/data/${port}`],
    askNode: async () => failed({ type: 'absent' }),
    findPort: async (port) => port,
    logDisk: systemLogDisk,
    random: new FakeRandom(1),
    makeTemporaryDir: () => ({ path: '/tmp/demo', remove: () => seen.steps.push('data removed') }),
    ...changes,
  };
  return { doors, seen };
}

const CONFIG = 'host: 127.0.0.1\nport: 7000\ncallback: { connect: "http://127.0.0.1:1/connect" }\n';
const BROKEN = 'port: 7000\nsend_queue_size: lots\nidle_timeout: soon\n';

describe('arrokoth start', () => {
  test('starts the node that the file describes, says where, and ends as it ends', async () => {
    const { doors, seen } = makeDoors(CONFIG);
    expect(await runArrokoth(['start', '--config', 'a.yml'], doors)).toBe(0);
    expect(seen.read).toEqual(['a.yml']);
    expect(seen.requests[0]?.config).toMatchObject({ host: '127.0.0.1', port: 7_000 });
    expect(seen.stdout).toContain('http://127.0.0.1:9180');
    const ending = { name: 'n', addresses: [], ended: Promise.resolve(143) };
    const killed = makeDoors(CONFIG, { startNode: async () => ok(ending) });
    expect(await runArrokoth(['start', '-c', 'a.yml'], killed.doors)).toBe(143);
    expect(killed.seen.stdout).toBe('');
  });

  test('lists everything that is wrong and starts nothing', async () => {
    const { doors, seen } = makeDoors(BROKEN);
    expect(await runArrokoth(['start', '--config', 'a.yml'], doors)).toBe(1);
    expect(seen.stderr).toMatch(/a\.yml:2\b.*send_queue_size/);
    expect(seen.stderr).toMatch(/a\.yml:3\b.*idle_timeout/);
    expect(seen.requests).toEqual([]);
  });

  test('says why it cannot read or start', async () => {
    const unreadable = makeDoors(null);
    expect(await runArrokoth(['start', '--config', 'gone.yml'], unreadable.doors)).toBe(1);
    expect(unreadable.seen.stderr).toContain('gone.yml');
    const taken = new ArrokothError('LISTEN_FAILED', 'Another program listens on 127.0.0.1:7000.');
    const refused = makeDoors(CONFIG, { startNode: async () => failed(taken) });
    expect(await runArrokoth(['start', '--config', 'a.yml'], refused.doors)).toBe(1);
    expect(refused.seen.stderr).toContain('LISTEN_FAILED: ');
    expect(refused.seen.stderr).toContain('127.0.0.1:7000');
  });
});

describe('arrokoth config check', () => {
  test('summarises a good file', async () => {
    const { doors, seen } = makeDoors(
      `${CONFIG}app: { listen: "127.0.0.1:7001", token: "\${TOKEN}" }\nworkers: 2\n`,
    );
    expect(await runArrokoth(['config', 'check', 'a.yml'], doors)).toBe(0);
    expect(seen.stdout).toMatch(/^OK: a\.yml describes a node with 2 gateway workers/);
    expect(seen.stdout).toMatch(/public +127\.0\.0\.1:7000 +\/connect \/ping\n/);
    expect(seen.stdout).toMatch(/app +127\.0\.0\.1:7001 +\/send \/close .*with a token/);
    expect(seen.requests).toEqual([]);
  });

  test('lists all problems of a bad one, or its doubts', async () => {
    const bad = makeDoors(BROKEN);
    expect(await runArrokoth(['config', 'check', 'a.yml'], bad.doors)).toBe(1);
    expect(bad.seen.stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2);
    expect(bad.seen.stdout).toBe('');
    const open = makeDoors('callback: { connect: "http://127.0.0.1:1/" }\n');
    expect(await runArrokoth(['config', 'check', 'a.yml'], open.doors)).toBe(0);
    expect(open.seen.stderr).toContain('warning: ');
    expect(open.seen.stdout).toMatch(/public +\*:9180/);
  });
});

describe('arrokoth demo', () => {
  test('runs node and application, and ends them in that order', async () => {
    const { doors, seen } = makeDoors(null);
    expect(await runArrokoth(['demo', '--port', '1', '--api-port', '2', '--app-port', '3'], doors)).toBe(0);
    expect(seen.steps).toEqual(['application starts', 'node starts', 'application stops', 'data removed']);
    const config = seen.requests[0]?.config;
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 1,
      originPolicy: 'none',
      node: { dataDir: '/tmp/demo' },
      api: { listen: { host: '127.0.0.1', port: 2 } },
    });
    expect(config?.callback.connect).toEqual(['http://127.0.0.1:3/connect']);
    expect(seen.requests[0]?.warnings).toEqual([]);
    expect(seen.stdout).toContain('http://127.0.0.1:3/\n');
    expect(seen.stdout.match(/^ +curl .*$/gm)).toHaveLength(3);
    expect(seen.stdout).toContain('http://127.0.0.1:2/metrics');
  });

  test('names the option that moves a taken port', async () => {
    for (const [port, option] of [
      [9_180, '--port'],
      [3_000, '--api-port'],
      [12_346, '--app-port'],
    ] as const) {
      const { doors, seen } = makeDoors(null, {
        findPort: async (wanted) => (wanted === port ? null : wanted),
      });
      expect(await runArrokoth(['demo'], doors)).toBe(1);
      expect(seen.stderr).toContain(`Port ${port} `);
      expect(seen.stderr).toContain(`npm start -- ${option} PORT`);
      expect(seen.steps).toEqual([]);
    }
    const twice = makeDoors(null);
    expect(await runArrokoth(['demo', '--port', '3000'], twice.doors)).toBe(1);
    expect(twice.seen.stderr).toContain('--api-port');
  });

  test('leaves nothing behind when the node does not start', async () => {
    const taken = new ArrokothError('LISTEN_FAILED', 'Another program listens there.');
    const { doors, seen } = makeDoors(null, { startNode: async () => failed(taken) });
    expect(await runArrokoth(['demo'], doors)).toBe(1);
    expect(seen.steps).toEqual(['application starts', 'application stops', 'data removed']);
    expect(seen.stderr).toContain('LISTEN_FAILED');
  });
});

describe('arrokoth', () => {
  test('tells its version and its verbs', async () => {
    const version = makeDoors(null);
    expect(await runArrokoth(['--version'], version.doors)).toBe(0);
    expect(version.seen.stdout).toBe('1.2.3\n');
    const help = makeDoors(null);
    expect(await runArrokoth(['--help'], help.doors)).toBe(0);
    for (const verb of ['start', 'config', 'demo']) expect(help.seen.stdout).toContain(verb);
  });

  test('ends with 2 when it is used wrongly', async () => {
    for (const words of [
      [],
      ['fly'],
      ['start'],
      ['start', '--config'],
      ['config', 'check'],
      ['demo', '--port', 'x'],
    ]) {
      const { doors, seen } = makeDoors(CONFIG);
      expect(await runArrokoth(words, doors)).toBe(2);
      expect(seen.stderr).not.toBe('');
      expect(seen.requests).toEqual([]);
    }
  });
});

describe('ekbo', () => {
  test('reads config.yml unless told otherwise', async () => {
    const { doors, seen } = makeDoors(CONFIG);
    expect(await runEkbo([], doors)).toBe(0);
    expect(await runEkbo(['-config=other.yml'], doors)).toBe(0);
    expect(seen.read).toEqual(['config.yml', 'other.yml']);
    expect(seen.requests[0]?.config.port).toBe(7_000);
    expect(seen.requests[0]?.config.log.level).toBe('info');
  });

  test('puts its flags over the file', async () => {
    const { doors, seen } = makeDoors(CONFIG);
    await runEkbo(['-port', '5000', '-log-level=warn'], doors);
    await runEkbo(['--sock', '/run/a.sock', '-log-level', 'loud', '-gops-addr=:0'], doors);
    expect(seen.requests[0]?.config).toMatchObject({ port: 5_000, log: { level: 'warn' } });
    expect(seen.requests[1]?.config).toMatchObject({ sock: '/run/a.sock', log: { level: 'debug' } });
    expect(seen.requests[1]?.warnings.join(' ')).toMatch(/-log-level loud.*-gops-addr/);
  });

  test('tells its version in the words that scripts expect', async () => {
    const { doors, seen } = makeDoors(null);
    expect(await runEkbo(['-version'], doors)).toBe(0);
    expect(seen.stdout).toBe('ekbo version: 1.2.3\n');
  });

  test('ends as the original does when it is used wrongly', async () => {
    const cases: [words: string[], exitCode: number, stderr: RegExp][] = [
      [['-h'], 0, /^Usage of ekbo:\n/],
      [['-nope'], 2, /unknown flag: -nope\nUsage of ekbo:\n/],
      [['-port', '1', '-sock', '/a'], 1, /^FATAL: -port and -sock/],
      [['-port', 'http'], 1, /^FATAL: -port/],
      [['-port', '65536'], 1, /^FATAL: -port/],
    ];
    for (const [words, exitCode, stderr] of cases) {
      const { doors, seen } = makeDoors(CONFIG);
      expect(await runEkbo(words, doors)).toBe(exitCode);
      expect(seen.stderr).toMatch(stderr);
      expect(seen.stdout).toBe('');
      expect(seen.requests).toEqual([]);
    }
    const broken = makeDoors(BROKEN);
    expect(await runEkbo([], broken.doors)).toBe(1);
    expect(broken.seen.stderr).toMatch(/^FATAL: config\.yml:2/);
  });
});
