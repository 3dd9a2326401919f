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
    const map = /## Rooms.*?```text\n(.*?)```/s.exec(readProjectFile('docs/architecture.md').text)?.[1] ?? '';
    const onMap = [...map.matchAll(/^([a-z]+)\/ +\S/gm)].map((match) => match[1]);
    expect(onMap.sort()).toEqual(Object.keys(ROOMS).sort());
  });
});

describe('import rules', () => {
  /** The rule that has to object, what to, and where. */
  const wrong: [string, string, string][] = [
    ['room-base', "export * from '../net/index.ts';", 'src/base/below.ts'],
    ['room-net', "export type * from '../journal/index.ts';", 'src/net/sister.ts'],
    ['door-base', "export * from '../base/hash.ts';", 'src/net/back-door.ts'],
    ['package-ws', "import 'ws';", 'src/gateway/package.ts'],
    ['node-net', "import 'node:net';", 'src/gateway/socket.ts'],
    ['node-fs', "import 'node:fs';", 'src/gateway/disk.ts'],
    ['node-child_process', "import { fork } from 'node:child_process';", 'src/gateway/child.ts'],
    ['pure-rooms', "import 'node:path';", 'src/relay/platform.ts'],
    ['no-cycles', "export type * from './cycle.ts';", 'src/net/cycle.ts'],
    ['known-room', "export * from '../attic/index.ts';", 'src/main/attic.ts'],
    ['no-dev-packages', "import 'fast-check';", 'src/net/development.ts'],
    ['src-alone', "import '../../test/thing.ts';", 'src/net/test.ts'],
    ['browser-alone', "import '../src/base/index.ts';", 'browser/node.ts'],
    ['resolvable', "import './nowhere.ts';", 'src/net/nowhere-else.ts'],
  ];

  it('object to each kind of wrong import', () => {
    const files = Object.fromEntries(wrong.map(([, text, path]) => [path, text]));
    const { output } = cruise({
      ...files,
      'src/attic/index.ts': 'export {};',
      'test/thing.ts': 'export {};',
    });
    const silent = wrong.filter(([rule, , path]) => !output.includes(`error ${rule}: ${path}`));
    expect(silent, output).toEqual([]);
  });

  it('accept what the table allows', () => {
    const text = "import 'ws';\nimport 'node:net';\nexport type * from '../base/index.ts';";
    expect(cruise({ 'src/net/right.ts': text })).toMatchObject({ status: 0 });
  });
});

/** Runs the rules over a small house of its own. */
function cruise(extra: Record<string, string>): { status: number | null; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-rules-'));
  try {
    const doors = Object.fromEntries(
      Object.keys(ROOMS).map((room) => [`src/${room}/index.ts`, 'export {};']),
    );
    const house: Record<string, string> = {
      ...doors,
      'src/base/hash.ts': 'export {};',
      'browser/index.ts': 'export {};',
      ...extra,
    };
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
    const run = spawnSync(cruiser, ['--config', '.dependency-cruiser.cjs', 'src', 'browser'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status: run.status, output: run.stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
