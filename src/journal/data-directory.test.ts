/** Where data goes, who may have it, and that two nodes never share it. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { ArrokothError } from '../base/index.ts';
import {
  assignJournals,
  chooseDataDirectory,
  type DataDirectory,
  type DataDirectoryChoice,
  journalPath,
  openDataDirectory,
} from './data-directory.ts';
import type { ProcessTable } from './process-identity.ts';

let root: string;
let log: CollectedLog;
/** Processes that run, by number. */
let running: Map<number, string>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'arrokoth-data-'));
  log = new CollectedLog();
  running = new Map([
    [100, 'a'],
    [200, 'b'],
  ]);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function as(processId: number): ProcessTable {
  return { processId, identityOf: (asked) => running.get(asked) ?? null };
}

function attempt(choice: DataDirectoryChoice, processId = 100) {
  return openDataDirectory({ choice, logger: log, processes: as(processId) });
}

function open(path: string, processId = 100): DataDirectory {
  const opened = attempt({ path, fallback: null }, processId);
  if (!opened.ok) throw opened.error;
  return opened.value;
}

function refusal(result: ReturnType<typeof attempt>): string {
  expect(result.ok).toBe(false);
  if (result.ok) return '';
  expect(result.error).toBeInstanceOf(ArrokothError);
  return `${result.error.code} ${result.error.message}`;
}

/** A path that nobody may write, root included: below a file. */
function blocked(): string {
  writeFileSync(join(root, 'file'), '');
  return join(root, 'file', 'data');
}

describe('the choice of a directory', () => {
  const facts = { configured: null, label: '9180', cwd: '/srv/app', tmp: '/tmp', uid: 1000 };

  it('follows the operator and has no other', () => {
    const configured = (path: string) => chooseDataDirectory({ ...facts, configured: path });
    expect(configured('/var/lib/arrokoth')).toEqual({ path: '/var/lib/arrokoth', fallback: null });
    expect(configured('./data')).toEqual({ path: '/srv/app/data', fallback: null });
  });

  it('is else below the working directory, or below the temporary one', () => {
    expect(chooseDataDirectory(facts)).toEqual({
      path: '/srv/app/data/9180',
      fallback: { path: '/tmp/arrokoth-1000/9180', userId: 1000 },
    });
  });

  it('names the directory of a unix socket after the socket', () => {
    expect(chooseDataDirectory({ ...facts, label: '/run/ekbo.sock' }).path).toBe('/srv/app/data/ekbo');
    expect(chooseDataDirectory({ ...facts, label: '/' }).path).toBe('/srv/app/data/node');
  });
});

describe('opening a directory', () => {
  it('creates it for this user alone', () => {
    const path = join(root, 'deep', 'data');
    expect(open(path).path).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, 'sessions')).mode & 0o777).toBe(0o700);
  });

  it('leaves the mode of an existing one alone', () => {
    chmodSync(root, 0o750);
    open(root);
    expect(statSync(root).mode & 0o777).toBe(0o750);
  });

  it('refuses one that cannot be made, and names it', () => {
    expect(refusal(attempt({ path: blocked(), fallback: null }))).toMatch(/^DATA_DIR_UNUSABLE .*file\/data/);
  });

  it('finds no second place for a path that is wrong in itself', () => {
    const fallback = { path: join(root, 'other'), userId: null };
    expect(refusal(attempt({ path: blocked(), fallback }))).toMatch(/^DATA_DIR_UNUSABLE/);
    expect(readdirSync(root)).toEqual(['file']);
  });

  it('removes what a killed worker had not finished', () => {
    open(root).release();
    writeFileSync(join(root, 'sessions', '0.1.b.journal.tmp'), 'half');
    open(root);
    expect(readdirSync(join(root, 'sessions'))).toEqual([]);
  });
});

describe('the second choice', () => {
  const userId = process.getuid?.() ?? 0;

  /** Opens with a first choice that the system refuses with `code`. */
  function attemptAfter(code: string, path: string, owner = userId) {
    const wanted = join(root, 'wanted');
    const makeDirectory = (made: string) => {
      if (made.startsWith(wanted)) throw Object.assign(new Error(`${code}: no`), { code });
      mkdirSync(made, { recursive: true, mode: 0o700 });
    };
    const choice = { path: wanted, fallback: { path, userId: owner } };
    return openDataDirectory({ choice, logger: log, processes: as(100), makeDirectory });
  }

  it.each(['EACCES', 'EROFS', 'EPERM'])('is used with a warning after %s', (code) => {
    const path = join(root, 'mine', '9180');
    const opened = attemptAfter(code, path);
    expect(opened.ok && opened.value.path).toBe(path);
    const warning = log.lines.find((line) => line.level === 'warn');
    expect(warning?.fields).toMatchObject({ wanted: join(root, 'wanted'), used: path });
  });

  it('is not used when the first one is merely broken', () => {
    expect(refusal(attemptAfter('ENOSPC', join(root, 'mine', '9180')))).toMatch(
      /^DATA_DIR_UNUSABLE .*ENOSPC/,
    );
    expect(readdirSync(root)).toEqual([]);
  });

  it('is refused when somebody else owns it', () => {
    expect(refusal(attemptAfter('EACCES', join(root, 'mine', '9180'), userId + 1))).toContain(
      join(root, 'mine'),
    );
  });

  it('is refused when others may write it or it leads elsewhere', () => {
    mkdirSync(join(root, 'mine', '9180'), { recursive: true });
    chmodSync(join(root, 'mine', '9180'), 0o777);
    expect(refusal(attemptAfter('EACCES', join(root, 'mine', '9180')))).toContain('others than this user');
    symlinkSync(join(root, 'mine'), join(root, 'link'));
    expect(refusal(attemptAfter('EACCES', join(root, 'link', 'x')))).toContain(join(root, 'link'));
  });
});

describe('the lock', () => {
  it('lets one living process in and names it to the next', () => {
    open(root, 100);
    expect(refusal(attempt({ path: root, fallback: null }, 200))).toMatch(/^DATA_DIR_IN_USE .*process 100/);
    expect(refusal(attempt({ path: root, fallback: null }, 100))).toMatch(/^DATA_DIR_IN_USE .*process 100/);
  });

  it('is free after release, and a refused attempt leaves nothing behind', () => {
    const first = open(root, 100);
    attempt({ path: root, fallback: null }, 200);
    first.release();
    first.release();
    expect(readdirSync(root)).toEqual(['sessions']);
    open(root, 200);
  });

  it('falls to the next when its owner is dead, or another process has its number', () => {
    open(root, 100);
    running.delete(100);
    open(root, 200);
    running.set(200, 'later');
    running.set(300, 'c');
    open(root, 300);
    expect(readdirSync(root).filter((name) => name.endsWith('.lock'))).toEqual(['node.300.c.lock']);
  });

  it('does not fall to the second choice when the first is in use', () => {
    open(root, 100);
    const fallback = { path: join(root, 'other'), userId: null };
    expect(refusal(attempt({ path: root, fallback }, 200))).toMatch(/^DATA_DIR_IN_USE/);
  });

  it('is held by real processes as well', () => {
    const choice = { path: root, fallback: null };
    const first = openDataDirectory({ choice, logger: log });
    const second = openDataDirectory({ choice, logger: log });
    expect(first.ok).toBe(true);
    expect(refusal(second)).toContain(`process ${process.pid}`);
  });
});

describe('the journals of a directory', () => {
  it('are listed by slot and run, and nothing else is', () => {
    const directory = open(root);
    const names = ['10.1.b', '2.10.b', '2.9.b', '0.1.aZ-_9'].map((name) => `${name}.journal`);
    for (const name of [...names, '0.1.b.journal.damaged', 'x.journal', 'readme']) {
      writeFileSync(join(root, 'sessions', name), '');
    }
    const places = directory.listJournals();
    expect(places.map((place) => `${place.slot}.${place.run}.${place.bootId}`)).toEqual([
      '0.1.aZ-_9',
      '2.9.b',
      '2.10.b',
      '10.1.b',
    ]);
    for (const place of places) expect(journalPath({ dataDir: root, ...place })).toBe(place.path);
  });

  it('all go to somebody, whatever number of workers there was', () => {
    const places = [0, 1, 2, 5].map((slot) => ({ path: `p${slot}`, slot, run: 1, bootId: 'b' }));
    expect(assignJournals(places, 2)).toEqual([
      ['p0', 'p2'],
      ['p1', 'p5'],
    ]);
    expect(assignJournals(places, 8)).toHaveLength(8);
    expect(assignJournals(places, 1)).toEqual([['p0', 'p1', 'p2', 'p5']]);
  });
});
