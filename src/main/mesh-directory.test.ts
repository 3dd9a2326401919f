import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeMeshDirectory } from './mesh-directory.ts';

let root = '';
let dataDir = '';
const make = (temporaryDir = root) => makeMeshDirectory({ temporaryDir, dataDir });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mesh-test-'));
  dataDir = join(root, 'data');
  mkdirSync(dataDir);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('makeMeshDirectory', () => {
  test('makes a directory for this user alone and removes it with all that is in it', () => {
    const mesh = make();
    expect(statSync(mesh.path).mode & 0o777).toBe(0o700);
    writeFileSync(join(mesh.path, 'a.sock'), '');
    mesh.remove();
    expect(existsSync(mesh.path)).toBe(false);
    mesh.remove();
  });

  test('sweeps what a killed start left', () => {
    const killed = make();
    const mesh = make();
    expect(mesh.path).not.toBe(killed.path);
    expect(existsSync(killed.path)).toBe(false);
    expect(existsSync(mesh.path)).toBe(true);
  });

  test('removes nothing but what it made', () => {
    const precious = join(root, 'precious');
    mkdirSync(precious);
    for (const path of [precious, join(precious, '..', 'data'), '/', '']) {
      writeFileSync(join(dataDir, 'mesh-directory'), path);
      make();
    }
    expect(existsSync(precious)).toBe(true);
    expect(readFileSync(join(dataDir, 'mesh-directory'), 'utf8')).toContain('arrokoth-');
  });

  test('goes elsewhere when the temporary directory has too long a name for sockets', () => {
    const long = join(root, 'x'.repeat(60));
    mkdirSync(long);
    const mesh = make(long);
    expect(mesh.path.length).toBeLessThan(70);
    mesh.remove();
  });
});
