/**
 * Every operation of the operator's API, once. What is not in this list does not exist: the HTTP API
 * looks its targets up here, and the reference page is made from it.
 */
import { clusterOperations, modeOperations } from './cluster-operations.ts';
import { connectionOperations } from './connection-operations.ts';
import { nodeOperations } from './node-operations.ts';
import type { Operation } from './operation.ts';

/** The operations by subject, in the order of the reference. */
export const OPERATION_GROUPS: readonly {
  readonly title: string;
  readonly operations: readonly Operation[];
}[] = [
  { title: 'The cluster', operations: clusterOperations },
  { title: 'The mode', operations: modeOperations },
  { title: 'The node', operations: nodeOperations },
  { title: 'Connections and channels', operations: connectionOperations },
];

/** All of them. */
export const operations: readonly Operation[] = OPERATION_GROUPS.flatMap((group) => group.operations);
