/**
 * Backends for tests of what is passed on: an HTTP server that remembers, and a socket that says
 * exactly what it is told, however wrong that is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards } from './cleanup.ts';
import { linesNamed } from './http.ts';

/** A request as a backend got it. */
export interface BackendRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly url: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  headerLines(name: string): string[];
}

/** A running backend. */
export interface Backend {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Whole requests, in the order of their ends. */
  readonly requests: AwaitedList<BackendRequest>;
  stop(): Promise<void>;
}

/** Answers while the body may still be coming. */
export type BackendHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts an HTTP backend; unless told otherwise it says `METHOD URL BYTES`. */
export async function startBackend(handler?: BackendHandler, port = 0): Promise<Backend> {
  const requests = new AwaitedList<BackendRequest>('requests');
  const server = createServer((incoming, response) => {
    const { method = '', url = '', httpVersion, rawHeaders } = incoming;
    incoming.on('error', () => undefined);
    if (handler !== undefined) return handler(incoming, response);
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const headerLines = (name: string) => linesNamed(rawHeaders, name);
      requests.push({ method, url, httpVersion, rawHeaders, body, headerLines });
      response.end(`${method} ${url} ${body.length}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  cleanUpAfterwards(stop);
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${bound}`, port: bound, server, requests, stop };
}

/** A backend that is only a socket. */
export interface RawBackend {
  readonly url: string;
  readonly connections: AwaitedList<Socket>;
  /** Everything that was said to it, on all connections together. */
  heard(): string;
}

/** Starts it; `answer` is called with each piece that arrives. */
export async function startRawBackend(answer: (socket: Socket, said: string) => void): Promise<RawBackend> {
  const connections = new AwaitedList<Socket>('connections');
  let words = '';
  const server = createSocketServer((socket) => {
    cleanUpAfterwardsQuietly(socket);
    socket.on('data', (chunk: Buffer) => {
      words += chunk.toString('latin1');
      answer(socket, chunk.toString('latin1'));
    });
    connections.push(socket);
  });
  const sockets = new Set<Socket>();
  const cleanUpAfterwardsQuietly = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpAfterwards(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, connections, heard: () => words };
}

/** A client that says bytes and keeps what it hears. */
export interface RawTalk {
  readonly socket: Socket;
  heard(): string;
  /** Resolves with everything when the connection has ended. */
  readonly all: Promise<string>;
  /** True for a reset; known when `all` has resolved. */
  broken(): boolean;
  /** Resolves when what was heard fits. */
  until(pattern: RegExp): Promise<string>;
}

/** Connects and says `bytes`. */
export function talk(port: number, bytes: string | Uint8Array, localAddress = '127.0.0.1'): RawTalk {
  const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  let words = '';
  let broken = false;
  const waiters = new Set<() => void>();
  const tell = (): void => {
    for (const waiter of waiters) waiter();
  };
  socket.on('data', (chunk: Buffer) => {
    words += chunk.toString('latin1');
    tell();
  });
  socket.on('error', () => {
    broken = true;
  });
  const all = new Promise<string>((resolve) => {
    socket.on('close', () => {
      resolve(words);
      tell();
    });
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const fits = pattern.test(words);
        if (!fits && !socket.destroyed) return;
        waiters.delete(look);
        if (fits) resolve(words);
        else reject(new Error(`the connection ended with ${JSON.stringify(words.slice(0, 500))}`));
      };
      waiters.add(look);
      look();
    });
  return { socket, heard: () => words, all, broken: () => broken, until };
}
