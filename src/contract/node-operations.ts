/**
 * The operations about one node: what it may hold, and what it has counted.
 *
 * Sora sells licences and nothing here is sold, so the figures of a licence are those of the node's
 * capacity.
 */
import type { Operation } from './operation.ts';
import { choice, INTEGER, needed, object, optional, text } from './schema.ts';

const SHORT = text(256);

const FIGURES = {
  total_connection_created: 'Attempts to connect since the node started.',
  total_connection_destroyed: 'Those of them that are over.',
  total_ongoing_connections: 'Those of them that are open or being opened.',
  total_successful_connections:
    'Those of them that did not fail; a refusal by the application is no failure.',
  total_failed_connections: 'Those of them that failed.',
  total_sent_messages: 'Messages to clients. Not in Sora.',
  total_failed_messages: 'Messages to clients that could not be delivered. Not in Sora.',
} as const;

const figures = Object.entries(FIGURES).map(([name, about]) => [name, needed(INTEGER, about)] as const);

const SELF = { service: 'Sora', request: null, bodyOptional: false, errors: [], runsOn: 'self' } as const;

/** Their operations, in the order of the reference. */
export const nodeOperations: readonly Operation[] = [
  {
    ...SELF,
    versions: ['20171218'],
    name: 'GetLicense',
    summary: 'How much this node may hold. There is no licence to buy; the keys are those of Sora.',
    response: object({
      expired_at: needed(text(16), 'Always `9999-12`.'),
      max_connections: needed(INTEGER, 'Connections that this node may hold.'),
      max_nodes: needed(INTEGER, 'Nodes that its cluster may have; 1 for a node that is alone.'),
      product_name: needed(SHORT, 'Always `Arrokoth`.'),
      serial_code: needed(SHORT, 'The capacity again, in the shape of a serial code.'),
      type: needed(SHORT, 'Always `MIT`, which is the licence of the program.'),
    }),
  },
  {
    ...SELF,
    versions: ['20171010'],
    errors: [{ type: 'WORKER-UNAVAILABLE', when: 'no gateway worker answered in time' }],
    name: 'GetStatsReport',
    summary:
      'What the gateway of this node has counted, all workers together. What Sora counts of media is ' +
      'missing, which its readers take for 0.',
    response: object({
      version: needed(SHORT, 'Version of the program.'),
      ...Object.fromEntries(figures),
      cluster: optional(
        object({
          raft_state: needed(choice('leader', 'follower', 'learner'), 'What this node is in the log.'),
          raft_term: needed(INTEGER, 'The ballot.'),
          raft_commit_index: needed(INTEGER, 'How far the log is committed, as this node knows.'),
        }),
        'The log that the nodes agree by; a node that is alone is its only voter.',
      ),
    }),
  },
];
