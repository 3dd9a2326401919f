/** The simulated disk keeps what was synced, and of the rest what the power loss was drawn to leave. */
import { describe, expect, it } from 'vitest';
import type { LogFile } from '../src/journal/index.ts';
import { type DiskOptions, SimulatedDisk } from './disk.ts';
import { Rng } from './rng.ts';
import { World } from './world.ts';

const OPTIONS: DiskOptions = {
  sectorBytes: 4,
  syncLeastMs: 1,
  syncMeanMs: 1,
  stallChance: 0,
  stallMeanMs: 0,
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (found: Uint8Array): string => new TextDecoder().decode(found).replaceAll('\0', '.');

function diskOf(seed = 'disk') {
  const world = new World();
  const disk = new SimulatedDisk(new Rng(seed), OPTIONS);
  const mounted = disk.mount((delayMs, run) => void world.after(delayMs, run));
  const sync = (file: LogFile): void => {
    let done = false;
    file.sync(() => {
      done = true;
    });
    world.runUntil(world.nowMs + 1_000, () => done);
  };
  return { world, disk, mounted, sync };
}

describe('SimulatedDisk', () => {
  it('shows what was written at once, and the last of several writes', () => {
    const { mounted } = diskOf();
    const file = mounted.open('/f/a', { create: true });
    file.write(0, bytes('abcdef'));
    file.write(2, bytes('XY'));
    file.write(8, bytes('z'));
    expect(text(mounted.read('/f/a'))).toBe('abXYef..z');
    file.truncate(3);
    expect([text(mounted.read('/f/a')), file.size]).toEqual(['abX', 3]);
    expect(mounted.list('/f')).toEqual(['a']);
    expect(mounted.list('/nowhere')).toEqual([]);
    expect(() => mounted.read('/f/b')).toThrow('ENOENT');
  });

  it('keeps what was synced before the power went, and nothing that was written after', () => {
    const { disk, mounted, sync } = diskOf();
    const file = mounted.open('/f/a', { create: true });
    mounted.syncFolder('/f');
    file.write(0, bytes('kept'));
    sync(file);
    file.write(4, bytes('lost'));
    disk.losePower('nothing');
    expect(text(mounted.read('/f/a'))).toBe('kept');
  });

  it('covers with a sync only what was written before it began', () => {
    const { world, disk, mounted } = diskOf();
    const file = mounted.open('/f/a', { create: true });
    mounted.syncFolder('/f');
    file.write(0, bytes('kept'));
    file.sync(() => {});
    file.write(4, bytes('lost'));
    world.runUntil(100);
    disk.losePower('nothing');
    expect(text(mounted.read('/f/a'))).toBe('kept');
  });

  it('keeps any subset of sectors of what was not synced', () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { disk, mounted } = diskOf(`${seed}`);
      const file = mounted.open('/f/a', { create: true });
      mounted.syncFolder('/f');
      file.write(0, bytes('aaaabbbbcccc'));
      disk.losePower('any_sectors');
      left.add(text(mounted.read('/f/a')));
    }
    expect([...left].sort()).toEqual(
      [
        '',
        'aaaa',
        '....bbbb',
        'aaaabbbb',
        '........cccc',
        'aaaa....cccc',
        '....bbbbcccc',
        'aaaabbbbcccc',
      ].sort(),
    );
  });

  it('tears a write in the middle when a prefix is kept, and counts it', () => {
    const left = new Set<string>();
    let torn = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { disk, mounted } = diskOf(`${seed}`);
      const file = mounted.open('/f/a', { create: true });
      mounted.syncFolder('/f');
      file.write(0, bytes('aaaabbbb'));
      disk.losePower('a_prefix');
      left.add(text(mounted.read('/f/a')));
      torn += disk.tornWrites;
    }
    expect([...left].sort()).toEqual(['', 'aaaa', 'aaaabbbb']);
    expect(torn).toBeGreaterThan(10);
  });

  it('forgets names that were not synced, in their order', () => {
    const { disk, mounted, sync } = diskOf();
    const file = mounted.open('/f/new.tmp', { create: true });
    file.write(0, bytes('snapshot'));
    sync(file);
    mounted.syncFolder('/f');
    mounted.rename('/f/new.tmp', '/f/new');
    disk.losePower('nothing');
    expect(mounted.list('/f')).toEqual(['new.tmp']);
    mounted.rename('/f/new.tmp', '/f/new');
    mounted.syncFolder('/f');
    disk.losePower('nothing');
    expect([mounted.list('/f'), text(mounted.read('/f/new'))]).toEqual([['new'], 'snapshot']);
  });

  it('refuses when it is full, and damages nothing by it', () => {
    const { disk, mounted } = diskOf();
    const file = mounted.open('/f/a', { create: true });
    file.write(0, bytes('abcd'));
    disk.full = 'growth';
    file.write(0, bytes('ABCD'));
    expect(() => file.write(2, bytes('long'))).toThrow('ENOSPC');
    disk.full = 'any';
    expect(() => file.write(0, bytes('a'))).toThrow('ENOSPC');
    expect(() => mounted.open('/f/b', { create: true })).toThrow('ENOSPC');
    expect(text(mounted.read('/f/a'))).toBe('ABCD');
  });

  it('flips one bit of what is on the medium', () => {
    const { disk, mounted } = diskOf();
    const file = mounted.open('/f/a', { create: true });
    mounted.syncFolder('/f');
    file.write(0, bytes('aaaaaaaa'));
    file.syncNow();
    disk.losePower('nothing');
    expect(disk.flipBit()).toBe(true);
    const changed = [...mounted.read('/f/a')].map((byte) => byte ^ 0x61).filter((byte) => byte !== 0);
    expect(changed).toHaveLength(1);
    expect(Math.log2(changed[0] as number) % 1).toBe(0);
  });

  it('loses a synced tail: tears one of the last writes and undoes what followed', () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const { disk, mounted } = diskOf(`${seed}`);
      const file = mounted.open('/f/a', { create: true });
      mounted.syncFolder('/f');
      for (const [index, word] of ['aaaaaaaaa', 'bbbbbbbbb', 'ccccccccc'].entries()) {
        file.write(9 * index, bytes(word));
        file.syncNow();
      }
      disk.losePower('nothing');
      expect(disk.loseTail()).toBe(true);
      left.add(text(mounted.read('/f/a')).replace(/\.+$/, ''));
    }
    for (const found of left) expect(found).toMatch(/^(a{1,8}|a{9}b{1,8}|a{9}b{9}c{1,8})$/);
    expect(left.size).toBeGreaterThan(15);
  });

  it('is empty when it was emptied', () => {
    const { disk, mounted } = diskOf();
    mounted.open('/f/a', { create: true }).syncNow();
    disk.empty();
    expect([disk.isEmpty, mounted.list('/f')]).toEqual([true, []]);
    expect(disk.flipBit()).toBe(false);
  });
});
