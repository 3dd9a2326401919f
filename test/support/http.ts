/**
 * One HTTP request with every header line under the test's control.
 *
 * Not a client for production: no retries, no redirects, the answer is held in memory. Headers go
 * out and come in as flat name-value lists, because repeated lines are what many tests are about.
 */
import { Agent, type ClientRequestArgs, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** What to ask. Either `url`, or `socketPath` with `path`. */
export interface TestRequest {
  readonly url?: string;
  readonly socketPath?: string;
  readonly path?: string;
  readonly method?: string;
  /** Name, value, name, value; `Host` and `Content-Length` are added unless given. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** From `keepAliveAgent()`; absent: a fresh connection that is closed after the answer. */
  readonly agent?: Agent;
  /** How TLS is spoken, for an `https:` url. */
  readonly tls?: ConnectionOptions;
}

/** A whole answer. */
export interface TestAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** The first line of that name, in any case. */
  header(name: string): string | undefined;
  /** Every line of that name, in any case. */
  headerLines(name: string): string[];
  /** The body as JSON. */
  json(): unknown;
}

/** Reuses connections between requests; `destroy()` it at the end of the test. */
export function keepAliveAgent(socketsMax = 1): Agent {
  return new Agent({ keepAlive: true, maxSockets: socketsMax });
}

/** Sends one request and resolves with the whole answer; rejects when there is none. */
export function request(question: TestRequest): Promise<TestAnswer> {
  const url = question.url === undefined ? null : new URL(question.url);
  const body = question.body === undefined ? null : Buffer.from(question.body);
  const args: ClientRequestArgs = {
    method: question.method ?? (body === null ? 'GET' : 'POST'),
    path: question.path ?? (url === null ? '/' : url.pathname + url.search),
    headers: headerLinesOf(question, url, body),
    agent: question.agent ?? false,
  };
  if (question.socketPath !== undefined) args.socketPath = question.socketPath;
  if (url !== null) {
    args.host = url.hostname;
    args.port = url.port;
  }
  return new Promise((resolve, reject) => {
    const start = url?.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = start({ ...args, ...question.tls }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        resolve(
          answerOf({
            status: incoming.statusCode ?? 0,
            statusText: incoming.statusMessage ?? '',
            httpVersion: incoming.httpVersion,
            rawHeaders: incoming.rawHeaders,
            body: Buffer.concat(chunks),
          }),
        );
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}

/** A POST; the commonest request of an application to a node. */
export function post(
  url: string,
  headers: readonly string[],
  body: string | Uint8Array = '',
): Promise<TestAnswer> {
  return request({ url, method: 'POST', headers, body });
}

/** A port of 127.0.0.1 that was free a moment ago; only for what must know its port beforehand. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function headerLinesOf(question: TestRequest, url: URL | null, body: Buffer | null): string[] {
  const lines = [...(question.headers ?? [])];
  const names = new Set(lines.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  if (!names.has('host')) lines.unshift('Host', url?.host ?? 'localhost');
  if (!names.has('connection')) lines.push('Connection', question.agent ? 'keep-alive' : 'close');
  if (body !== null && !names.has('content-length') && !names.has('transfer-encoding')) {
    lines.push('Content-Length', String(body.length));
  }
  return lines;
}

type AnswerParts = Pick<TestAnswer, 'status' | 'statusText' | 'httpVersion' | 'rawHeaders' | 'body'>;

function answerOf(parts: AnswerParts): TestAnswer {
  const text = parts.body.toString('utf8');
  return {
    ...parts,
    text,
    header: (name) => linesNamed(parts.rawHeaders, name)[0],
    headerLines: (name) => linesNamed(parts.rawHeaders, name),
    json: () => JSON.parse(text) as unknown,
  };
}

/** The values of every line called `name`, in any case, in the order of the wire. */
export function linesNamed(rawHeaders: readonly string[], name: string): string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === wanted) values.push(rawHeaders[index + 1] as string);
  }
  return values;
}
