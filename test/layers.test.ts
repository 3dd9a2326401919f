/**
 * The table of rooms against the folders and the map, and the import rules against a wrong import.
 *
 * `npm run imports` applies the rules to the project; here it is shown that they can fail.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/programs.ts';
import { projectFiles, readProjectFile, roomFolders } from './tidy/files.ts';

const { ROOMS } = createRequire(import.meta.url)('../scripts/rooms.cjs') as {
  ROOMS: Record<string, string[]>;
};

describe('rooms', () => {
  it('are the folders of src', () => {
    expect(roomFolders().sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it('import only rooms above them', () => {
    const order = Object.keys(ROOMS);
    for (const [room, allowed] of Object.entries(ROOMS)) {
      for (const other of allowed)
        expect(order.indexOf(other), `${room} -> ${other}`).toBeLessThan(order.indexOf(room));
    }
  });

  it('have a door, main excepted, and no file outside of them', () => {
    const paths = projectFiles()
      .map((file) => file.path)
      .filter((path) => path.startsWith('src/'));
    const doorless = Object.keys(ROOMS).filter(
      (room) => room !== 'main' && !paths.includes(`src/${room}/index.ts`),
    );
    expect(doorless).toEqual([]);
    expect(paths.filter((path) => path.split('/').length < 3)).toEqual([]);
  });

  it('stand on the map of docs/architecture.md, each with a line of its own', () => {
    const onMap = readProjectFile('docs/architecture.md')
      .lines.map((line) => /^\s*\|? ?`?([a-z]+)\/`? /.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(onMap.sort()).toEqual(Object.keys(ROOMS).sort());
  });
});

describe('import rules', () => {
  const wrong: [string, string, string][] = [
    ['a room below', "export * from '../net/index.ts';", 'src/base/wrong.ts'],
    ['a back door', "export * from '../base/hash.ts';", 'src/net/wrong.ts'],
    ['a sister adapter', "export type * from '../journal/index.ts';", 'src/net/wrong.ts'],
    ['a package of another room', "import 'ws';", 'src/gateway/wrong.ts'],
    ['a socket in a role', "import 'node:net';", 'src/gateway/wrong.ts'],
    ['a platform in a pure room', "import 'node:path';", 'src/relay/wrong.ts'],
    ['a cycle of types', "export type * from './wrong.ts';", 'src/net/wrong.ts'],
    ['an unknown room', 'export const nothing = 0;', 'src/attic/index.ts'],
  ];

  it.each(wrong)('refuse %s', (_, text, path) => {
    expect(cruise({ [path]: text, 'src/net/right.ts': `import '../../${path}';` })).not.toBe(0);
  });

  it('accept what the table allows', () => {
    const text = "import 'ws';\nimport 'node:net';\nexport type * from '../base/index.ts';";
    expect(cruise({ 'src/net/right.ts': text })).toBe(0);
  });
});

/** Runs the rules over a small house of its own and returns the exit code. */
function cruise(extra: Record<string, string>): number | null {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-rules-'));
  try {
    const doors = Object.fromEntries(
      Object.keys(ROOMS).map((room) => [`src/${room}/index.ts`, 'export {};']),
    );
    const house: Record<string, string> = { ...doors, 'src/base/hash.ts': 'export {};', ...extra };
    for (const [path, text] of Object.entries(house)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    for (const name of [
      'node_modules',
      'scripts',
      'tsconfig.json',
      'package.json',
      '.dependency-cruiser.cjs',
    ]) {
      symlinkSync(join(ROOT, name), join(folder, name));
    }
    const cruiser = join(ROOT, 'node_modules/.bin/depcruise');
    const run = spawnSync(cruiser, ['--config', '.dependency-cruiser.cjs', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return run.status;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
