/**
 * H18: whoever reaches the port. Shown to go wrong with the original's rules, in its model, and to
 * hold with ours, on a real port.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { LogMode } from '../../src/main/library.ts';
import { LegacyNetwork } from './legacy-network.ts';
import { STATE, U64_MAX } from './legacy-receiver.ts';
import { type OurNode, startOurs, until } from './our-nodes.ts';

const MAX = '18446744073709551615';
const nodes: OurNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.end();
});

async function post(node: OurNode, method: string, body: object | string): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${node.address}/_clusterc/cluster1/${method}`, {
    method: 'POST',
    body: text,
  });
  return `${response.status} ${await response.text()}`;
}

describe('H18: a stranger', () => {
  it('ends all elections of the original with one call, and makes a master with another', () => {
    const network = LegacyNetwork.cluster('a', 'b', 'c');
    const accept = { method: 'accept', instance: U64_MAX, sequence: 0n, changes: [] } as const;
    expect(network.node('b').answer(accept).accepted).toBe(true);
    network.node('c').answer(accept);
    network.kill('a');
    expect(network.elect('b')).toMatchObject({ code: 'ERR_DENIED' });
    expect(network.node('b').state).toBe(STATE.candidate);

    const facts = { cluster: 'cluster', participants: ['c'], snapshot: new Uint8Array() };
    const start = {
      method: 'start',
      instance: U64_MAX,
      sequence: 9n,
      self: 'c',
      master: 'c',
      ...facts,
    } as const;
    expect(network.node('c').answer(start).accepted).toBe(true);
    expect(network.node('c').isMaster).toBe(true);
    expect(network.values('c')).toEqual({});
  });

  for (const mode of ['strict', 'interop'] as LogMode[]) {
    it(`moves nothing here by any of the six calls, in ${mode}`, async () => {
      nodes.push(...(await startOurs(1, mode)));
      const [node] = nodes as [OurNode];
      await until(() => node.log.status().isMaster);
      await node.log.submit([{ type: 'add', key: 'x', value: '1' }]);
      const before = node.log.status();
      const self = { Addr: node.address };
      const stranger = { Addr: 'http://127.0.0.9:1' };
      expect(await post(node, 'prepare', `{"Instance":${MAX},"Master":{"Addr":"http://s"}}`)).not.toMatch(
        /^200/,
      );
      for (const [method, body] of [
        ['accept', `{"Instance":${MAX},"Sequence":${MAX},"Changes":["QUREw5d4w5cy"]}`],
        ['accept', `{"Instance":${MAX},"Sequence":0,"Changes":[]}`],
        ['addmember', { Instance: 9, Sequence: 9, Mem: stranger }],
        ['rmmember', { Instance: 9, Sequence: 9, Mem: self }],
        [
          'start',
          { Instance: 9, Sequence: 9, Cluster: 'cluster1', Self: self, Master: stranger, Snapshot: '' },
        ],
        ['start', { Instance: 9, Sequence: 9, Cluster: 'cluster1', Self: self, Master: self, Snapshot: '' }],
      ] as [string, object | string][]) {
        expect(await post(node, method, body), method).not.toContain('"Accepted":true');
      }
      const after = node.log.status();
      expect([after.ballot, after.isMaster, after.members]).toEqual([before.ballot, true, before.members]);
      expect(node.kv).toEqual({ x: '1' });
    });
  }
});
