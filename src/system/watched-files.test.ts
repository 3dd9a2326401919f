/** Small files: why one cannot be read, and that each kind of replacement is noticed. */
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AwaitedList, cleanUpAfterwards, temporaryFolder } from '../../test/support/index.ts';
import { systemTimers } from './timers.ts';
import { readSmallFile, watchFiles } from './watched-files.ts';

describe('readSmallFile', () => {
  it('gives the text, and who may read it', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'text');
    chmodSync(path, 0o600);
    expect(readSmallFile(path)).toEqual({ ok: true, value: { text: 'text', readableByAll: false } });
    chmodSync(path, 0o644);
    expect(readSmallFile(path)).toMatchObject({ value: { readableByAll: true } });
  });

  it('says why there is none', () => {
    const folder = temporaryFolder();
    const large = join(folder, 'large');
    writeFileSync(large, Buffer.alloc(1_048_577));
    symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
    const reason = (path: string) => {
      const file = readSmallFile(path);
      return file.ok ? '' : file.error;
    };
    expect(reason(join(folder, 'missing'))).toBe('there is no such file');
    expect(reason(folder)).toBe('it is a folder');
    expect(reason(join(large, 'below'))).toBe('a part of its path is no folder');
    expect(reason(join(folder, 'loop'))).toBe('its symbolic links lead in a circle');
    expect(reason(large)).toBe('it is larger than 1048576 bytes');
  });
});

describe('watchFiles', () => {
  it('finds all changed at first, then what was written, swapped above, removed or made', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'data', 'file');
    for (const version of ['one', 'two']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'file'), 'same');
    }
    symlinkSync('one', join(folder, 'data'));
    const looks = new AwaitedList<boolean>('looks');
    const looked = (changed: boolean) => looks.push(changed);
    const watch = watchFiles([path, join(folder, 'other')], { timers: systemTimers, periodMs: 1, looked });
    cleanUpAfterwards(() => watch.cancel());
    let changes = 0;
    const noticed = async (change: () => void): Promise<void> => {
      // Two quiet looks: what comes now is a change of its own.
      await looks.atLeast(looks.items.length + 2);
      expect(looks.items.filter(Boolean)).toHaveLength(changes);
      change();
      changes += 1;
      await looks.atLeast(changes, Boolean);
    };
    await looks.first(Boolean);
    changes = 1;
    await noticed(() => writeFileSync(path, 'longer than before'));
    await noticed(() => {
      symlinkSync('two', join(folder, 'next'));
      renameSync(join(folder, 'next'), join(folder, 'data'));
    });
    await noticed(() => renameSync(path, join(folder, 'gone')));
    await noticed(() => writeFileSync(join(folder, 'other'), ''));
    watch.cancel();
    const { length } = looks.items;
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks.items).toHaveLength(length);
  });
});
