/** Changes as bytes: what is written is read back, and what is no change is named. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLUSTER_LIMITS, encodeUtf8 } from '../base/index.ts';
import { type ClusterChange, clusterCodec, hostOf, isNodeName } from './index.ts';
import { claim, down, purge, release, up } from './testdata/changes.ts';

const A = 'a@127.0.0.1';

function decoded(value: unknown, version = 1): ClusterChange {
  return clusterCodec.decode(encodeUtf8(JSON.stringify(value)), version);
}

describe('a change', () => {
  it('is read back as it was written, whatever its texts', () => {
    const text = fc.string({ unit: fc.integer({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    const released = fc.record({ name: text, fencing: fc.maxSafeNat() });
    const change = fc.oneof(
      fc.tuple(fc.string({ minLength: 1 }), text).map(([boot, url]) => up(A, boot, { externalApiUrl: url })),
      fc
        .tuple(fc.maxSafeNat(), fc.constantFrom('stopped' as const, 'silent' as const))
        .map(([epoch, reason]) => {
          return down(A, epoch, reason);
        }),
      fc.constant(purge(A)),
      fc.array(text).map((channels) => claim(A, 1, ...channels)),
      fc.array(released).map((channels) => release(A, 1, ...channels)),
    );
    fc.assert(
      fc.property(change, (each) => {
        expect(clusterCodec.decode(clusterCodec.encode(each), 1)).toEqual(each);
      }),
    );
  });

  it('says its kind and version', () => {
    expect(clusterCodec).toMatchObject({ kind: 'cluster', version: 1 });
  });

  it('carries nothing that is no part of it', () => {
    expect(decoded({ ...purge(A), note: 'more' })).toEqual(purge(A));
  });

  it('is looked at before it goes out, too', () => {
    const unfinished = { type: 'node_down', node: A, epoch: 1, atMs: 0 } as unknown as ClusterChange;
    expect(() => clusterCodec.encode(unfinished)).toThrow('`reason` is to be one of stopped, silent');
  });
});

describe('what is no change', () => {
  const many = Array.from({ length: CLUSTER_LIMITS.channelsPerChangeMax + 1 }, () => 'sora');
  it.each<[unknown, string]>([
    [null, '`a change` is to be an object'],
    [[], '`a change` is to be an object'],
    [{ ...purge(A), type: 'node_sold' }, '"node_sold" is no type of a change'],
    [{ ...purge(A), node: 'a' }, '`node` is to be name@host'],
    [{ ...purge(A), atMs: 0.5 }, '`atMs` is to be a whole number'],
    [{ ...down(A, 1), epoch: -1 }, '`epoch` is to be a whole number'],
    [{ ...up(A, 'one'), boot: '' }, '`boot` is to be not empty'],
    [{ ...up(A, 'one'), facts: null }, '`facts` is to be an object'],
    [up(A, 'one', { meshPorts: [65_536] }), '`meshPorts` is to be a whole number from 0 to 65535'],
    [up(A, 'one', { version: 'x'.repeat(129) }), '`version` is to be a text of at most 128'],
    [{ ...claim(A, 1), channels: 'sora' }, '`channels` is to be a list of at most 1024'],
    [claim(A, 1, ...many), '`channels` is to be a list of at most 1024'],
    [{ ...claim(A, 1), channels: [1] }, '`channels` is to be a text'],
    [{ ...release(A, 1), channels: [{ name: 'sora' }] }, '`fencing` is to be a whole number'],
  ])('%j is refused', (value, sentence) => {
    expect(() => decoded(value)).toThrow(sentence);
  });

  it('is what a later version wrote', () => {
    expect(() => decoded(purge(A), 2)).toThrow('Version 2');
  });

  it('is what is no JSON', () => {
    expect(() => clusterCodec.decode(encodeUtf8('{'), 1)).toThrow(SyntaxError);
  });
});

describe('a node name', () => {
  it('is name@host', () => {
    for (const good of ['node-01@192.0.2.5', 'node-02_canary_sora@10.211.55.40', 'a@[::1]']) {
      expect(isNodeName(good), good).toBe(true);
    }
    for (const bad of ['', 'a', '@h', 'a@', 'a@b@c', 'a b@h', 'a@h/x', `a@${'h'.repeat(255)}`]) {
      expect(isNodeName(bad), bad).toBe(false);
    }
  });

  it('tells where peers reach it', () => {
    expect(hostOf('node-01@192.0.2.5')).toBe('192.0.2.5');
    expect(hostOf('node-01')).toBeNull();
  });
});
