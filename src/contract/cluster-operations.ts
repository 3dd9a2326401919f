/**
 * The operations about the cluster: founding it, joining it, who is in it, forgetting one of them.
 */
import type { DomainError, Operation } from './operation.ts';
import { BOOLEAN, choice, INTEGER, list, needed, object, optional, text } from './schema.ts';

const NODE = text(320);
const URL = text(2_048, 0);
const SHORT = text(256);
const MODE = choice('normal', 'block_new_session', 'block_new_connection', 'initial');
/** Longer lists are answered by how many nodes a cluster may have. */
const NAMES_MAX = 1_000;

const names = needed(list(NODE, NAMES_MAX), 'The members of the cluster, this node among them.');
const contact = needed(NODE, 'A member of the cluster, whichever.');
const target = needed(NODE, 'The node to be forgotten.');

const errorsOf = (...errors: readonly (readonly [string, string])[]): readonly DomainError[] =>
  errors.map(([type, when]) => ({ type, when }));

const NOT_CONFIGURED = ['CLUSTER-NOT-CONFIGURED', 'this node has no `cluster.listen`: it is alone'] as const;
const INVALID_NAME = ['INVALID-NODE-NAME', 'a name is not of the form `name@host`'] as const;
const BUSY = ['INITIALIZATION-UNDER-WAY', 'the node is founding or joining a cluster already'] as const;
const TOO_MANY = ['TOO-MANY-NODES', 'the cluster would have more nodes than `cluster.max_nodes`'] as const;
const UNREACHABLE = ['NODE-UNREACHABLE', 'a node that has to be asked does not answer'] as const;
const OTHER = ['OTHER-CLUSTER', 'a node that has to be asked is for a cluster of another name'] as const;
const SILENT = ['SUPERVISOR-UNAVAILABLE', 'the supervisor gave no answer within 30 seconds'] as const;
const INITIALIZED = ['ALREADY-INITIALIZED', 'this node or a listed one is in a cluster already'] as const;
const NO_QUORUM = ['NO-QUORUM', 'no majority of the voters took part in time'] as const;
const LOG_FAILED = ['LOG-FAILED', 'the log of the cluster could not be opened; the log says why'] as const;

const SORA = { service: 'Sora', bodyOptional: false } as const;
const JOIN = {
  ...SORA,
  versions: ['20211215'],
  request: object({ contact_node_name: contact }),
  response: object({ node_name_list: names }),
  errors: errorsOf(
    NOT_CONFIGURED,
    ['CLUSTER-NOT-INITIALIZED', 'the contacted node is in no cluster'],
    ['NODE-NOT-FOUND', 'the contacted node is this one'],
    ...[NO_QUORUM, TOO_MANY, UNREACHABLE, OTHER, INVALID_NAME, BUSY, LOG_FAILED, SILENT],
  ),
  runsOn: 'self',
} as const;

const node = object({
  node_name: needed(NODE, 'The node.'),
  connected: needed(BOOLEAN, 'Whether the answering node has heard of it in the last seconds.'),
  external_api_url: optional(URL, 'Its `cluster.external_api_url`; empty: none.'),
  epoch: optional(INTEGER, 'How often it has come up in this cluster.'),
  license_max_connections: optional(INTEGER, 'Connections that it may hold.'),
  license_max_nodes: optional(INTEGER, 'Its `cluster.max_nodes`.'),
  license_serial_code: optional(SHORT, 'As `GetLicense` says it.'),
  license_type: optional(SHORT, 'As `GetLicense` says it.'),
  mode: optional(MODE, 'What it admits.'),
  external_signaling_url: optional(URL, 'Its `cluster.external_signaling_url`; empty: none.'),
  version: optional(SHORT, 'The release that runs there.'),
  cluster_node_name: optional(NODE, 'The same as `node_name`, which newer clients of Sora read.'),
  cluster_api_url: optional(URL, 'The same as `external_api_url`.'),
  cluster_signaling_url: optional(URL, 'The same as `external_signaling_url`.'),
  sora_version: optional(SHORT, 'The same as `version`.'),
  member_since: optional(SHORT, 'When it first came up in this cluster, in RFC 3339.'),
  temporary_node: optional(BOOLEAN, 'Always false.'),
  voter: optional(BOOLEAN, 'Whether its word counts in elections and commits. Not in Sora.'),
  session_count: optional(INTEGER, 'Connections that it holds. Not in Sora.'),
});

const owner = object({
  node_name: needed(NODE, 'The node that owns the channel.'),
  epoch: needed(INTEGER, 'Its epoch when it became the owner.'),
  epoch_latest: needed(BOOLEAN, 'False: it has come up anew since, and the channel is free to be claimed.'),
  connected: needed(BOOLEAN, 'Whether the answering node has heard of it in the last seconds.'),
});

/** Their operations, in the order of the reference. */
export const clusterOperations: readonly Operation[] = [
  {
    ...SORA,
    versions: ['20221221'],
    name: 'InitCluster',
    summary: 'Founds a cluster of exactly these nodes. Asked once, of any one of them.',
    request: object({ node_name_list: names }),
    response: object({ node_name_list: names }),
    errors: errorsOf(
      ...[NOT_CONFIGURED, INITIALIZED],
      ['NODE-NOT-FOUND', 'this node is not in the list'],
      ...[NO_QUORUM, TOO_MANY, UNREACHABLE, OTHER, INVALID_NAME, BUSY, LOG_FAILED, SILENT],
    ),
    runsOn: 'self',
  },
  {
    ...JOIN,
    name: 'JoinCluster',
    summary:
      'Lets this node join the cluster of another one. A member answers the same list and changes nothing.',
  },
  { ...JOIN, name: 'RegisterClusterNode', summary: 'The newer name of `JoinCluster`.' },
  {
    ...SORA,
    versions: ['20211215'],
    name: 'ListClusterNodes',
    summary:
      'The nodes of the cluster that the answering node hears of; on demand the others too, with their ' +
      'name and `connected` only. Nodes that the cluster has not missed yet and that this one does not ' +
      'hear of are named in the header `x-arrokoth-silent-nodes`. A node that is in no cluster yet ' +
      'lists none.',
    request: object({
      include_all_known_nodes: optional(BOOLEAN, 'True: those that are not connected, too.'),
    }),
    bodyOptional: true,
    response: list(node),
    errors: [],
    runsOn: 'any',
  },
  {
    ...SORA,
    versions: ['20211215'],
    name: 'ListClusterChannels',
    summary: 'The channels that nodes have claimed, with their owners. The same header names silent nodes.',
    request: null,
    response: list(
      object({
        channel_id: needed(text(65_536), 'The channel.'),
        owners: needed(list(owner), 'Always one.'),
      }),
    ),
    errors: [],
    runsOn: 'any',
  },
  {
    ...SORA,
    versions: ['20220629'],
    name: 'PurgeClusterNode',
    summary:
      'Has the whole cluster forget a node that is stopped and does not come back. Asked once, of any ' +
      'other member.',
    request: object({ target_node_name: target }),
    response: object({ target_node_name: target }),
    errors: errorsOf(
      ['NODE-IS-ALIVE', 'the node is not stopped; `error_reason` is `{"target_node":"…"}`'],
      ['NODE-NOT-FOUND', 'the cluster knows no such node'],
      ['CLUSTER-NOT-INITIALIZED', 'this node is in no cluster'],
      ...[NO_QUORUM, NOT_CONFIGURED, INVALID_NAME, SILENT],
    ),
    runsOn: 'any',
  },
];

/** What the node admits. */
export const modeOperations: readonly Operation[] = [
  {
    ...SORA,
    versions: ['20211215'],
    name: 'GetMode',
    summary: 'What this node admits at present.',
    request: null,
    response: object({ mode: needed(MODE, 'The mode.') }),
    errors: [],
    runsOn: 'self',
  },
  {
    ...SORA,
    versions: ['20211215'],
    name: 'ChangeMode',
    summary: 'Changes what this node admits. Connections stay; a restart forgets it.',
    request: object({
      mode: needed(choice('normal', 'block_new_session', 'block_new_connection'), 'The mode.'),
    }),
    response: object({ mode: needed(MODE, 'The same.') }),
    errors: errorsOf(['NODE-NOT-JOINED', '`normal` was asked of a node that is in no cluster yet'], SILENT),
    runsOn: 'self',
  },
];
