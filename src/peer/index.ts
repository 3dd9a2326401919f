/** Between the nodes of a cluster: the log's six calls over HTTP/JSON, in three dialects. */
export type * from './peer-types.ts';
