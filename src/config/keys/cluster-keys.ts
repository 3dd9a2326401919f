/**
 * The keys under `cluster:`: whom this node forms a cluster with, and how soon it notices a loss.
 *
 * Without `cluster.listen` a node is by itself and the rest means nothing. Which times fit each other
 * is checked here, because a node that others take over while it still serves would do harm.
 */
import { DEFAULTS, LOG_LIMITS } from '../../base/index.ts';
import type { ClusterConfig, TcpAddress } from '../config.ts';
import {
  clusterIdField,
  type DurationRange,
  durationRangeField,
  externalUrlField,
  nodeNamesField,
} from '../fields/cluster-fields.ts';
import { formatDuration } from '../fields/duration.ts';
import { durationField, integerField } from '../fields/field.ts';
import { formatTcpAddress, isLoopback } from '../fields/tcp-address.ts';
import { listenField } from '../fields/text-fields.ts';
import { tokensField } from '../fields/tokens-field.ts';

/** The keys of the group. */
export const clusterKeys = {
  id: clusterIdField({
    fallback: 'main',
    description: 'Name of the cluster; the same on all of its nodes.',
  }),
  listen: listenField({
    description: 'Where the other nodes reach this one. With it, the node is for a cluster.',
    reason:
      '`host:port`, the port the same on all nodes; others dial the host part of `node.name`. ' +
      'Beyond loopback a secret is required.',
    example: '127.0.0.1:7400',
  }),
  secret: tokensField({
    description: 'What the nodes sign their calls with; or a list: the first one signs, all are believed.',
    reason: 'At least 16 characters are advised; empty is refused. At most 16 secrets.',
    example: `"\${CLUSTER_SECRET:-one-secret-of-all-nodes}"`,
  }),
  contact_node_name_list: nodeNamesField({
    description: 'Nodes through which a node that is no member yet joins by itself, one after the other.',
    reason: 'It never founds a cluster by itself.',
    example: '[node-02@127.0.0.2]',
  }),
  external_signaling_url: externalUrlField({
    description: 'Where clients reach the signaling of this node; told to the other nodes.',
    example: 'wss://node-01.example.com/signaling',
    schemes: ['ws:', 'wss:'],
  }),
  external_api_url: externalUrlField({
    description: "Where operators reach this node's API; told to the other nodes.",
    example: 'http://127.0.0.1:3000/',
    schemes: ['http:', 'https:'],
  }),
  max_connections: integerField({
    fallback: DEFAULTS.connectionsMax,
    min: 1,
    max: 1_000_000,
    description: 'Connections that this node is for; told to the other nodes.',
    reason: 'The smaller one of this and `limits.connections` counts.',
  }),
  max_nodes: integerField({
    fallback: DEFAULTS.clusterNodes,
    min: 1,
    max: LOG_LIMITS.membersMax,
    description: 'Nodes that the cluster is for; further ones are not let in.',
  }),
  heartbeat: durationField({
    fallbackMs: DEFAULTS.clusterHeartbeatMs,
    minMs: 10,
    maxMs: 10_000,
    description: 'How often the master of the log is heard of at least.',
  }),
  election: durationRangeField({
    fallback: { minMs: DEFAULTS.clusterElectionMinMs, maxMs: DEFAULTS.clusterElectionMaxMs },
    description: 'Silence of the master after which another one is elected; drawn anew each time.',
    reason: 'At least twice `heartbeat`.',
  }),
  isolation_timeout: durationField({
    fallbackMs: DEFAULTS.isolationTimeoutMs,
    minMs: 1_000,
    maxMs: 60_000,
    description:
      'A node without contact to the majority for this long admits nobody; stands in for the key of ' +
      'that name above.',
    reason: 'At least three times the longest `election`, or the loss of a master would isolate everybody.',
  }),
  node_down_after: durationField({
    fallbackMs: DEFAULTS.nodeDownAfterMs,
    minMs: 2_000,
    maxMs: 600_000,
    description: 'A node that was silent for this long is declared down, and others take over from it.',
    reason: 'At least `isolation_timeout` and a second more: it has to have stopped by then.',
  }),
} as const;

/** Values of the group, checked one by one. */
interface ClusterValues {
  readonly id: string;
  readonly listen: TcpAddress | null;
  readonly secret: readonly string[];
  readonly contact_node_name_list: readonly string[];
  readonly external_signaling_url: string | null;
  readonly external_api_url: string | null;
  readonly max_connections: number;
  readonly max_nodes: number;
  readonly heartbeat: number;
  readonly election: DurationRange;
  readonly isolation_timeout: number;
  readonly node_down_after: number;
}

type Issues = { addIssue(issue: { code: 'custom'; message: string; path?: PropertyKey[] }): void };

/** What others may do at the earliest after a node has stopped by itself. */
const DOWN_MARGIN_MS = 1_000;
const ELECTIONS_BEFORE_ISOLATION = 3;

/** The values of the group, as far as they have to fit each other. */
export function checkCluster(values: ClusterValues, issues: Issues): void {
  const refuse = (key: keyof ClusterValues, message: string) => {
    issues.addIssue({ code: 'custom', message, path: [key] });
  };
  const { listen, secret, election, heartbeat, isolation_timeout, node_down_after } = values;
  if (listen === null) {
    if (secret.length > 0) refuse('secret', 'expected cluster.listen beside it');
    if (values.contact_node_name_list.length > 0) {
      refuse('contact_node_name_list', 'expected cluster.listen beside it');
    }
  } else if (listen.port === 0) {
    refuse('listen', 'expected a port other than 0: it is the same on all nodes');
  } else if (secret.length === 0 && !isLoopback(listen.host)) {
    const address = formatTcpAddress(listen);
    refuse('listen', `expected cluster.secret beside it, because ${address} can be reached from other hosts`);
  }
  if (election.minMs < 2 * heartbeat) {
    refuse('election', 'expected at least twice cluster.heartbeat; raise this one or lower that one');
  }
  const isolationMinMs = ELECTIONS_BEFORE_ISOLATION * election.maxMs;
  if (isolation_timeout < isolationMinMs) {
    const least = formatDuration(isolationMinMs);
    refuse('isolation_timeout', `expected at least ${least}, three times the longest cluster.election`);
  }
  if (node_down_after < isolation_timeout + DOWN_MARGIN_MS) {
    const least = formatDuration(isolation_timeout + DOWN_MARGIN_MS);
    refuse('node_down_after', `expected at least ${least}, a second more than cluster.isolation_timeout`);
  }
}

/** A member is found by the host part of its name. */
export function checkClusterName(
  file: { readonly cluster: ClusterValues; readonly node: { readonly name: string | null } },
  issues: Issues,
): void {
  if (file.cluster.listen === null || file.node.name !== null) return;
  const message = 'expected node.name beside it: the other nodes reach this one at the host part of its name';
  issues.addIssue({ code: 'custom', message, path: ['cluster', 'listen'] });
}

/** Null: the node is by itself. */
export function toCluster(values: ClusterValues): ClusterConfig | null {
  const { listen, election } = values;
  if (listen === null) return null;
  return {
    id: values.id,
    listen,
    secrets: values.secret,
    contacts: values.contact_node_name_list,
    externalSignalingUrl: values.external_signaling_url ?? '',
    externalApiUrl: values.external_api_url ?? '',
    maxNodes: values.max_nodes,
    heartbeatMs: values.heartbeat,
    electionMinMs: election.minMs,
    electionMaxMs: election.maxMs,
    nodeDownAfterMs: values.node_down_after,
  };
}
