/** The page about the state says what the code does: its changes, events, modes and bounds. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLUSTER_LIMITS } from '../base/index.ts';
import { type ClusterChange, type ClusterEvent, modeOf, type NodeStanding } from './index.ts';

const PAGE = readFileSync(new URL('../../docs/reference/cluster-state.md', import.meta.url), 'utf8');

/** The cells of the table under a heading, without its head. */
function tableOf(heading: string): string[][] {
  const section = PAGE.split('\n## ').find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => row.split(' | ').map((cell) => cell.replace(/[|`]/g, '').trim()));
}

describe('the page about the state', () => {
  it('lists the changes that there are', () => {
    const fields: Record<ClusterChange['type'], string> = {
      node_up: 'boot, facts, atMs',
      node_down: 'epoch, reason, atMs',
      node_purged: 'atMs',
      channels_claimed: 'epoch, channels',
      channels_released: 'epoch, channels',
    };
    expect(Object.fromEntries(tableOf('Changes').map(([type, each]) => [type, each]))).toEqual(fields);
  });

  it('lists the events that there are', () => {
    const types: Record<ClusterEvent['type'], true> = {
      ...{ node_up: true, facts_changed: true, node_down: true, node_purged: true, node_refused: true },
      ...{ view_changed: true, channels_claimed: true, channels_refused: true, channels_released: true },
    };
    expect(tableOf('Events').map(([type]) => type)).toEqual(Object.keys(types));
  });

  it('shows the modes that follow', () => {
    const joined = { clustered: true, joined: true, isolated: false, impaired: false };
    const standings: Omit<NodeStanding, 'ordered'>[] = [
      { ...joined, clustered: false, joined: false },
      { ...joined, joined: false },
      joined,
      { ...joined, isolated: true },
      { ...joined, impaired: true },
    ];
    const orders = ['normal', 'block_new_session', 'block_new_connection'] as const;
    const modes = standings.map((each) => orders.map((ordered) => modeOf({ ...each, ordered })));
    expect(tableOf('Modes').map(([, ...cells]) => cells)).toEqual(modes);
    expect(standings.map((each) => modeOf({ ...each, ordered: null }))).toEqual(
      modes.map(([first]) => first),
    );
  });

  it('has the bounds', () => {
    const numbers = tableOf('Bounds').map(([, most]) => Number(most?.replaceAll(',', '')));
    const { nodesMax, purgedNodesMax, channelsMax, channelNameCharactersMax } = CLUSTER_LIMITS;
    const { channelNamesCharactersMax, channelsPerChangeMax } = CLUSTER_LIMITS;
    expect(numbers).toEqual([
      ...[nodesMax, purgedNodesMax, channelsMax, channelNameCharactersMax],
      ...[channelNamesCharactersMax, channelsPerChangeMax],
    ]);
  });
});
