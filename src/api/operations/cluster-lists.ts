/**
 * Lists of the cluster, from this worker's copy: its nodes, and who owns which channel.
 *
 * Both name in a header the nodes that should be there and are not heard of, because what is said
 * about those may be old. The supervisor is not asked, and no list takes more than a slice of a turn.
 */
import type { Timers } from '../../base/index.ts';
import type { KnownNode, OwnedChannel } from '../../cluster/index.ts';
import type { ClusterCopy } from '../cluster/cluster-copy.ts';
import type { Handler, OperationAnswer } from '../front/operation-answer.ts';
import { LICENCE_TYPE, serialCode } from './node-figures.ts';

/** What the lists are read from. */
export interface ClusterListDoors {
  readonly cluster: ClusterCopy;
  readonly timers: Timers;
}

/** Rows made in one turn. */
const SLICE_ROWS = 500;

/** The handlers of both. */
export function clusterLists({ cluster, timers }: ClusterListDoors): Record<string, Handler> {
  return {
    ListClusterNodes: async ({ include_all_known_nodes: all }) => {
      const rows = cluster.state
        .nodes()
        .map((node) => nodeRow(node, cluster))
        .filter((row) => all === true || row.connected === true);
      return listOf(rows, (row) => JSON.stringify(row), cluster, timers);
    },
    ListClusterChannels: async () => {
      return listOf(cluster.state.channels(), (channel) => channelRow(channel, cluster), cluster, timers);
    },
  };
}

function listOf<Row>(
  rows: readonly Row[],
  textOf: (row: Row) => string,
  cluster: ClusterCopy,
  timers: Timers,
): OperationAnswer {
  const silent = cluster.silentNodes();
  const headers = silent.length === 0 ? [] : ['x-arrokoth-silent-nodes', silent.join(', ')];
  return { type: 'list', headers, slices: slicesOf(rows, textOf, timers) };
}

async function* slicesOf<Row>(
  rows: readonly Row[],
  textOf: (row: Row) => string,
  timers: Timers,
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    if (from > 0) await new Promise<void>((resolve) => timers.endOfTurn(resolve));
    yield Buffer.from(
      rows
        .slice(from, from + SLICE_ROWS)
        .map(textOf)
        .join(','),
    );
  }
}

function channelRow({ channel, node, epoch }: OwnedChannel, cluster: ClusterCopy): string {
  const owner = {
    node_name: node,
    epoch,
    epoch_latest: cluster.state.node(node)?.epoch === epoch,
    connected: cluster.heardFrom(node) !== null,
  };
  return JSON.stringify({ channel_id: channel, owners: [owner] });
}

/** A node that is not heard of has two keys: what else is known of it may be wrong by now. */
function nodeRow(known: KnownNode, cluster: ClusterCopy): Record<string, unknown> {
  const { node, epoch, facts, memberSinceMs } = known;
  const heard = cluster.heardFrom(node);
  if (heard === null) return { node_name: node, connected: false };
  return {
    external_api_url: facts.externalApiUrl,
    epoch,
    license_max_connections: facts.maxConnections,
    license_max_nodes: facts.maxNodes,
    license_serial_code: serialCode(facts),
    license_type: LICENCE_TYPE,
    node_name: node,
    mode: heard.mode,
    connected: true,
    external_signaling_url: facts.externalSignalingUrl,
    version: heard.version,
    cluster_node_name: node,
    cluster_api_url: facts.externalApiUrl,
    cluster_signaling_url: facts.externalSignalingUrl,
    sora_version: heard.version,
    member_since: new Date(memberSinceMs).toISOString().replace('Z', '000Z'),
    temporary_node: false,
    voter: heard.voter,
    session_count: heard.connections,
  };
}
