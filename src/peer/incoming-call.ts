/**
 * One call of another node, from its head to its answer.
 *
 * Writes each answer as the original writes it, signs it where calls are signed, and sends one only.
 * Whose turn it is to answer is decided by `peer-server.ts`.
 */
import type { HttpRequest, HttpResponse } from '../net/index.ts';
import { goJsonString } from '../relay/index.ts';
import type { Method } from './dialects.ts';
import type { PeerAuth } from './peer-auth.ts';
import type { PeerFigures } from './peer-figures.ts';
import type { ForeignErrorCode } from './peer-types.ts';
import { PROTO_HEADER, protoHeader } from './protocol-versions.ts';

const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8'];
/** The original ignores the second line; to a safe peer it says how to read the body. */
const CALL_TEXT = [...PLAIN_TEXT, PROTO_HEADER, protoHeader()];
const NOT_FOUND = [...PLAIN_TEXT, 'X-Content-Type-Options', 'nosniff'];

/** A request and its response, which is sent once. */
export class IncomingCall {
  readonly request: HttpRequest;
  readonly #response: HttpResponse;
  readonly #auth: PeerAuth;
  readonly #figures: PeerFigures;
  /** What answers are signed for; empty: they are not. */
  nonce = '';
  method: Method | null = null;
  #answered = false;

  constructor(
    request: HttpRequest,
    response: HttpResponse,
    doors: { readonly auth: PeerAuth; readonly figures: PeerFigures },
  ) {
    this.request = request;
    this.#response = response;
    this.#auth = doors.auth;
    this.#figures = doors.figures;
  }

  /** A body of JSON, as the original sends it. */
  json(status: number, body: string): void {
    this.#send(status, this.method === null ? PLAIN_TEXT : CALL_TEXT, body);
  }

  /** A body that says what is wrong. */
  error(status: number, code: ForeignErrorCode, text: string): void {
    this.json(status, `{"Code":"${code}","Err":${goJsonString(`${code}: ${text}`)}}`);
  }

  /** No body and no type. */
  empty(status: number): void {
    this.#send(status, [], '');
  }

  /** The folder with its slash, the path without double ones. */
  moved(location: string): void {
    const lines = ['Location', location];
    if (this.request.method !== 'GET') return this.#send(301, lines, '');
    const body = `<a href="${escapeHtml(location)}">Moved Permanently</a>.\n\n`;
    this.#send(301, [...lines, 'Content-Type', 'text/html; charset=utf-8'], body);
  }

  /** There is no such cluster here, or nothing at all. */
  notFound(): void {
    this.#send(404, NOT_FOUND, '404 page not found\n');
  }

  /** A stranger learns nothing. */
  unauthorized(): void {
    this.#send(401, [], '');
  }

  #send(status: number, headers: readonly string[], body: string): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#figures.requested(this.method, status);
    if (this.#response.gone) return;
    const signature = this.nonce === '' ? [] : this.#auth.signAnswer(this.nonce, status, body);
    this.#response.send(status, signature.length === 0 ? headers : [...headers, ...signature], body);
  }
}

function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;' };
  return text.replace(/[&<>"]/g, (character) => escapes[character] as string).replaceAll("'", '&#39;');
}
