import { describe, expect, it } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { type ClusterChange, ClusterState } from '../../cluster/index.ts';
import { FakeLog } from '../testdata/fake-log.ts';
import { DOWN_MS } from '../testdata/fake-parts.ts';
import { addressOf } from './addresses.ts';
import { Lookout } from './lookout.ts';

const SELF = 'one@127.0.0.1';
const OTHER = 'two@127.0.0.2';
const FACTS = {
  ...{ version: '1', workers: 1, meshPorts: [], externalSignalingUrl: '', externalApiUrl: '' },
  ...{ maxConnections: 1, maxNodes: 2 },
};

describe('Lookout', () => {
  it('judges nobody for a while after it was stopped itself, and then those who are still silent', () => {
    let nowMs = 1_000;
    const submitted: ClusterChange[] = [];
    const state = new ClusterState();
    state.apply({ type: 'node_up', node: OTHER, boot: 'b', facts: FACTS, atMs: 1 }, 1);
    const other = addressOf(OTHER, 7_400);
    const log = new FakeLog({
      state: { snapshot: () => new Uint8Array(), install() {}, apply() {} },
      founding: [other],
    });
    const lookout = new Lookout({
      ...{
        logger: new CollectedLog(),
        nodeName: SELF,
        nodeDownAfterMs: DOWN_MS,
        addressOf: (node) => addressOf(node, 7_400),
      },
      ...{ clock: { wallMs: () => nowMs, monotonicMs: () => nowMs }, state: () => state, log: () => log },
      submit: async (change) => submitted.push(change),
    });
    const look = (silentMs: number) => {
      log.silences_.set(other, { silentMs, isHeard: true });
      lookout.look();
    };
    look(0);
    nowMs += 15_000;
    look(15_000);
    for (let passedMs = 250; passedMs < DOWN_MS; passedMs += 250) {
      nowMs += 250;
      look(15_000 + passedMs);
    }
    expect(submitted).toEqual([]);
    nowMs += 250;
    look(25_000);
    expect(submitted).toMatchObject([{ type: 'node_down', node: OTHER, epoch: 1 }]);
  });
});
