/**
 * A whole answer of an application, and the collecting of it.
 *
 * Bounded: a body larger than the call allows is given up as soon as that is known, before and
 * after inflation alike. `http-call.ts` drives it.
 */
import type { IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { failed, ok, type Result } from '../../base/index.ts';
import { findHeader, findHeaderLines } from '../http/header-lookup.ts';
import type { HttpAnswer, HttpAnswerHead, HttpFailure, RawHeaders } from '../types.ts';

const NO_BODY = new Uint8Array(0);

/** What roles see of an answer. */
export class CollectedAnswer implements HttpAnswer {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  readonly body: Uint8Array;

  constructor(status: number, rawHeaders: RawHeaders, body: Uint8Array) {
    this.status = status;
    this.rawHeaders = rawHeaders;
    this.body = body;
  }

  header(name: string): string | undefined {
    return findHeader(this.rawHeaders, name);
  }

  headerLines(name: string): string[] {
    return findHeaderLines(this.rawHeaders, name);
  }
}

/** How an answer is read. */
export interface CollectOptions {
  readonly bytesMax: number;
  /** True when we asked for gzip on our own account and owe the caller the plain body. */
  readonly inflate: boolean;
}

/** The head of an answer whose body is not, or not yet, to be had. */
export function headOf(response: IncomingMessage): HttpAnswerHead {
  return new CollectedAnswer(response.statusCode ?? 0, response.rawHeaders, NO_BODY);
}

/** Reads the whole answer; `done` is called exactly once. A failure carries the head. */
export function collectAnswer(
  response: IncomingMessage,
  options: CollectOptions,
  done: (result: Result<HttpAnswer, HttpFailure>) => void,
): void {
  const { bytesMax } = options;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (result: Result<HttpAnswer, HttpFailure>): void => {
    if (finished) return;
    finished = true;
    done(result.ok ? result : failed({ ...result.error, head: headOf(response) }));
  };
  const announced = Number(findHeader(response.rawHeaders, 'content-length') ?? 0);
  if (announced > bytesMax) {
    finish(tooLarge(bytesMax));
    response.destroy();
    return;
  }
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bytesMax) {
      chunks.push(chunk);
      return;
    }
    finish(tooLarge(bytesMax));
    response.destroy();
  });
  response.on('error', (error: NodeJS.ErrnoException) => finish(cutShort(error.code ?? 'error')));
  response.on('close', () => finish(cutShort('closed')));
  response.on('end', () => {
    if (finished) return;
    // From here on the answer is whole: `close` no longer means that it was cut short.
    finished = true;
    const body =
      bytes === 0 ? NO_BODY : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes);
    if (options.inflate && bytes > 0 && isGzip(response.rawHeaders)) inflate(response, body, bytesMax, done);
    else done(ok(new CollectedAnswer(response.statusCode ?? 0, response.rawHeaders, body)));
  });
}

function inflate(
  response: IncomingMessage,
  body: Uint8Array,
  bytesMax: number,
  done: (result: Result<HttpAnswer, HttpFailure>) => void,
): void {
  if (bytesMax === 0) {
    // The option below has no value for this bound.
    done(tooLarge(bytesMax));
    return;
  }
  gunzip(body, { maxOutputLength: bytesMax }, (error, plain) => {
    if (error !== null) {
      const code = (error as NodeJS.ErrnoException).code;
      const message = `the gzip body is damaged (${code ?? 'error'})`;
      const result =
        code === 'ERR_BUFFER_TOO_LARGE'
          ? tooLarge(bytesMax)
          : failed({ kind: 'malformed' as const, message });
      done(failed({ ...result.error, head: headOf(response) }));
      return;
    }
    const headers = withoutEncoding(response.rawHeaders);
    done(ok(new CollectedAnswer(response.statusCode ?? 0, headers, plain)));
  });
}

function isGzip(headers: RawHeaders): boolean {
  return /^\s*(?:x-)?gzip\s*$/i.test(findHeader(headers, 'content-encoding') ?? '');
}

/** The lines that describe the body as it was sent do not describe the inflated one. */
function withoutEncoding(headers: RawHeaders): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (/^content-(?:encoding|length)$/i.test(name)) continue;
    kept.push(name, headers[index + 1] as string);
  }
  return kept;
}

function tooLarge(bytesMax: number): { readonly ok: false; readonly error: HttpFailure } {
  return failed({ kind: 'too_large', message: `the answer is larger than ${bytesMax} bytes` });
}

function cutShort(code: string): Result<never, HttpFailure> {
  return failed({ kind: 'malformed', message: `the answer ended before its time (${code})` });
}
