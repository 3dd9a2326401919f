/** What nodes of tests say of themselves. */
import type { NodeFacts } from '../../cluster/index.ts';

/** A small node that reaches nobody. */
export const FACTS: NodeFacts = {
  version: '1.0.0',
  workers: 1,
  meshPorts: [],
  externalSignalingUrl: '',
  externalApiUrl: '',
  maxConnections: 100,
  maxNodes: 10,
};
