/** HTTP and WebSocket: the server of one listener, the client of callbacks, frames, bearer tokens. */

export { type CheckedBackends, checkBackends } from './client/backend-checks.ts';
export { CallbackBackends } from './client/callback-backends.ts';
export { HttpClient, type HttpClientOptions, type HttpClientRules } from './client/http-client.ts';
export { type LeanCall, LeanClient, type LeanClientOptions } from './client/lean-client.ts';
export { UpstreamClient } from './forward/upstream-client.ts';
export * from './forward/upstream-types.ts';
export { AcceptGate, type GateBounds, type GateOutcome } from './http/accept-gate.ts';
export { BearerTokens } from './http/bearer.ts';
export { HttpServer, type HttpServerOptions, type HttpServerRules } from './http/http-server.ts';
export type { ProxyProtocolRule } from './http/proxied-sockets.ts';
export type { TlsFailure } from './tls/tls-failures.ts';
export { TlsIdentity } from './tls/tls-identity.ts';
export { type FileReading, readTlsMaterial, type TlsReading } from './tls/tls-material.ts';
export type { TlsFigures, TlsListener } from './tls/tls-sockets.ts';
export * from './types.ts';
export { encodeFrame } from './websocket/frame.ts';
export { MessageCompression } from './websocket/message-compression.ts';
