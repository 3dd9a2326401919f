/** What tests across rooms are built from: real nodes, applications, clients that show every byte. */
export * from './application.ts';
export * from './awaited-list.ts';
export * from './backend.ts';
export * from './certificates.ts';
export * from './cleanup.ts';
export * from './frames.ts';
export * from './handshake-text.ts';
export * from './http.ts';
export * from './light-client.ts';
export * from './programs.ts';
export * from './raw-client.ts';
export * from './reload-node.ts';
export * from './start-backend-process.ts';
export * from './start-demo.ts';
export * from './start-node.ts';
