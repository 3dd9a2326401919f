/**
 * Clients and applications for the tests of the HTTP client: real sockets, fake time where asked.
 */
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import type { FakeTime } from '../../../test/fakes/fake-time.ts';
import { cleanUpAfterwards } from '../../../test/support/index.ts';
import type { Result } from '../../base/index.ts';
import { systemTimers } from '../../system/index.ts';
import { HttpClient } from '../client/http-client.ts';
import type { HttpAnswer, HttpCall, HttpFailure } from '../types.ts';

/** A call without anything special; tests patch it. */
export const DEFAULTS = {
  method: 'GET',
  headers: [],
  body: null,
  timeoutMs: 0,
  replyBytesMax: 65_536,
  redirectsMax: 0,
} as const;

export function makeClient(
  options: { maxInFlight?: number; maxQueued?: number; time?: FakeTime } = {},
): HttpClient {
  const { maxInFlight = 8, maxQueued = 8, time } = options;
  const timers = time ?? systemTimers;
  const client = new HttpClient({ maxInFlight, maxQueued, timers, allowPrivateRedirects: true });
  cleanUpAfterwards(() => client.close());
  return client;
}

export type CallPatch = Partial<HttpCall> & { readonly url: string };

export function call(client: HttpClient, patch: CallPatch): Promise<Result<HttpAnswer, HttpFailure>> {
  return new Promise((resolve) => client.call({ ...DEFAULTS, ...patch }, resolve));
}

export async function answerOf(client: HttpClient, patch: CallPatch): Promise<HttpAnswer> {
  const result = await call(client, patch);
  if (!result.ok) throw new Error(`${result.error.kind}: ${result.error.message}`);
  return result.value;
}

export async function failureOf(client: HttpClient, patch: CallPatch): Promise<string> {
  const result = await call(client, patch);
  return result.ok ? `answered ${result.value.status}` : result.error.kind;
}

export const textOf = (answer: HttpAnswer): string => Buffer.from(answer.body).toString();

/** An application; resolves with its address. */
export async function serve(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  cleanUpAfterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An application that speaks bytes. */
export async function serveBytes(handle: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createNetServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    handle(socket);
  });
  cleanUpAfterwards(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Resolves when the other side has closed, in order or not. */
export function clientLeft(socket: Socket): Promise<unknown> {
  return Promise.race(['end', 'close'].map((event) => new Promise((resolve) => socket.once(event, resolve))));
}

/** Answers with what it was asked, as JSON. */
export const mirror: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, rawHeaders } = request;
    response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString() }));
  });
};

export interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly body: string;
}
export const mirrored = (answer: HttpAnswer): Mirrored => JSON.parse(textOf(answer)) as Mirrored;
