/** Between the nodes of a cluster: the log's six calls over HTTP/JSON, in three dialects. */
export { ClusterPeers, type ClusterPeersOptions } from './cluster-peers.ts';
export { checkExposure, type Exposure, isLoopback } from './exposure.ts';
export { transferMs } from './foreign-deadline.ts';
export type { NodeCallHandler } from './node-call-server.ts';
export type { NodeCalls } from './node-calls.ts';
export { type HostRoute, PeerListener, type PeerListenerOptions } from './peer-listener.ts';
export type * from './peer-types.ts';
