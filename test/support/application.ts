/**
 * The application behind a node, as small as it can be: it records every callback and answers it.
 *
 * By default it admits everybody, under the session key of `?key=` (else a uuid) and in the
 * channels of `?channel=`, and answers 200 to everything else. A test replaces what it wants.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards } from './cleanup.ts';
import { linesNamed } from './http.ts';

/** The four callbacks; also the last part of their URLs here. */
export type CallbackKind = 'connect' | 'establish' | 'receive' | 'close';

/** One callback as it arrived. */
export interface Callback {
  readonly kind: CallbackKind;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Value of `X-Kuiperbelt-Session`, or empty. */
  readonly session: string;
  header(name: string): string | undefined;
  headerLines(name: string): string[];
}

/** What is answered: a whole answer, a broken connection, or never anything. */
export type CallbackAnswer =
  | { readonly status?: number; readonly headers?: readonly string[]; readonly body?: string | Uint8Array }
  | 'cut'
  | 'hang';

/** Answers one callback; undefined means the default. */
export type CallbackHandler = (
  callback: Callback,
) => CallbackAnswer | undefined | Promise<CallbackAnswer | undefined>;

/** A running application. Handlers may be exchanged while it runs. */
export interface Application {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Goes under `callback:` in a node's configuration. */
  readonly callback: Readonly<Record<CallbackKind, string>>;
  readonly handlers: Partial<Record<CallbackKind, CallbackHandler>>;
  /** The callbacks of one kind so far, in order of their heads. */
  calls(kind: CallbackKind): Callback[];
  /** The callbacks of one kind as soon as there are `count`. */
  waitFor(kind: CallbackKind, count: number, timeoutMs?: number): Promise<Callback[]>;
  /** The first callback that fits. */
  waitForCall(fits: (callback: Callback) => boolean, timeoutMs?: number): Promise<Callback>;
  /** Stops listening and cuts every connection; done by itself after the test. */
  stop(): Promise<void>;
}

/** Starts an application on a free port of 127.0.0.1. */
export async function startApplication(
  handlers: Partial<Record<CallbackKind, CallbackHandler>> = {},
): Promise<Application> {
  const seen = new AwaitedList<Callback>('callbacks');
  const current = { ...handlers };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    readAll(incoming, (body) => {
      const callback = callbackOf(incoming, body);
      if (callback === null) {
        response.writeHead(404).end();
        return;
      }
      seen.push(callback);
      void reply(callback, current[callback.kind], response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
  const port = (server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${port}`;
  const application: Application = {
    url,
    port,
    callback: {
      connect: `${url}/connect`,
      establish: `${url}/establish`,
      receive: `${url}/receive`,
      close: `${url}/close`,
    },
    handlers: current,
    calls: (kind) => seen.items.filter((callback) => callback.kind === kind),
    waitFor: (kind, count, timeoutMs) => seen.atLeast(count, (callback) => callback.kind === kind, timeoutMs),
    waitForCall: (fits, timeoutMs) => seen.first(fits, timeoutMs),
    stop: () => stop(server),
  };
  cleanUpAfterwards(application.stop);
  return application;
}

function readAll(incoming: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('error', () => {
    // The node cut the request; there is nobody to answer.
  });
  incoming.on('end', () => done(Buffer.concat(chunks)));
}

function callbackOf(incoming: IncomingMessage, body: Buffer): Callback | null {
  const target = new URL(incoming.url ?? '/', 'http://application');
  const kind = target.pathname.slice(1);
  if (kind !== 'connect' && kind !== 'establish' && kind !== 'receive' && kind !== 'close') return null;
  const rawHeaders = incoming.rawHeaders;
  return {
    kind,
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    query: target.searchParams,
    httpVersion: incoming.httpVersion,
    rawHeaders,
    body,
    session: linesNamed(rawHeaders, 'X-Kuiperbelt-Session')[0] ?? '',
    header: (name) => linesNamed(rawHeaders, name)[0],
    headerLines: (name) => linesNamed(rawHeaders, name),
  };
}

async function reply(
  callback: Callback,
  handler: CallbackHandler | undefined,
  response: ServerResponse,
): Promise<void> {
  const answer = (await handler?.(callback)) ?? defaultAnswer(callback);
  if (answer === 'hang') return;
  if (answer === 'cut') {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.from(answer.body ?? '');
  // A flat list keeps repeated lines and their spelling.
  response.writeHead(answer.status ?? 200, [
    ...(answer.headers ?? []),
    'Content-Length',
    String(body.length),
  ]);
  response.end(body);
}

/** What an application says that admits everybody; handlers may build on it. */
export function defaultAnswer(callback: Callback): Exclude<CallbackAnswer, string> {
  if (callback.kind !== 'connect') return { status: 200 };
  const headers = ['X-Kuiperbelt-Session', callback.query.get('key') ?? randomUUID()];
  for (const channel of callback.query.getAll('channel')) headers.push('X-Kuiperbelt-Channel', channel);
  return { status: 200, headers };
}

function stop(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
