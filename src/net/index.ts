/** HTTP and WebSocket: the server of one listener, the client of callbacks, frames, bearer tokens. */
export { AcceptGate, type GateBounds, type GateOutcome } from './accept-gate.ts';
export { type CheckedBackends, checkBackends } from './backend-checks.ts';
export { BearerTokens } from './bearer.ts';
export { CallbackBackends } from './callback-backends.ts';
export { encodeFrame } from './frame.ts';
export { HttpClient, type HttpClientOptions, type HttpClientRules } from './http-client.ts';
export { HttpServer, type HttpServerOptions, type HttpServerRules } from './http-server.ts';
export { MessageCompression } from './message-compression.ts';
export type { ProxyProtocolRule } from './proxied-sockets.ts';
export type { TlsFailure } from './tls-failures.ts';
export { TlsIdentity } from './tls-identity.ts';
export { type FileReading, readTlsMaterial, type TlsReading } from './tls-material.ts';
export type { TlsFigures, TlsListener } from './tls-sockets.ts';
export * from './types.ts';
export { UpstreamClient } from './upstream-client.ts';
export * from './upstream-types.ts';
