/** HTTP and WebSocket: the server of one listener, the client of callbacks, frames, bearer tokens. */
export { BearerTokens } from './bearer.ts';
export { encodeFrame } from './frame.ts';
export { HttpClient, type HttpClientOptions, type HttpClientRules } from './http-client.ts';
export { HttpServer, type HttpServerOptions, type HttpServerRules } from './http-server.ts';
export type { ProxyProtocolRule } from './proxied-sockets.ts';
export * from './types.ts';
