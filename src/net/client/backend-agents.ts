/**
 * The connections to backends: kept alive while idle, and thrown away when they speak unasked.
 *
 * What a backend says on an idle connection would pass for the answer to the next request on it,
 * which may be another client's; so such a connection is never used again.
 */
import { Agent, type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { RawHeaders } from '../types.ts';

/** Heads of answers; what applications set in cookies fits, a flood of headers does not. */
const ANSWER_HEADER_BYTES_MAX = 64 * 1_024;

/** One request to a backend, its body still to be written. */
export interface BackendRequest {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: RawHeaders;
  /** True: not over a connection that was used before. */
  readonly fresh: boolean;
}

interface Place {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** As `Host` says it. */
  readonly authority: string;
}

interface Pool {
  readonly plain: Agent;
  readonly secure: SecureAgent;
}

/** Dials backends. */
export class BackendAgents {
  readonly #kept: Pool;
  readonly #fresh: Pool;
  /** As many as are configured. */
  readonly #places = new Map<string, Place>();

  constructor(limits: { readonly idleSocketsMax: number; readonly idleSocketMs: number }) {
    const keepAlive = limits.idleSocketsMax > 0;
    this.#kept = poolWith({
      keepAlive,
      maxFreeSockets: Math.max(1, limits.idleSocketsMax),
      timeout: limits.idleSocketMs,
    });
    // Half-open, because a tunnel may end one way before the other.
    this.#fresh = poolWith({ keepAlive: false, allowHalfOpen: true });
    for (const agent of [this.#kept.plain, this.#kept.secure]) agent.on('free', watchIdle);
  }

  /** Throws when a line or the target cannot be written. */
  open({ origin, method, target, headers, fresh }: BackendRequest): ClientRequest {
    const { secure, host, port } = this.#place(origin);
    const pool = fresh ? this.#fresh : this.#kept;
    const args = {
      host,
      port,
      path: target,
      method,
      headers,
      maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
    };
    const request = secure
      ? requestHttps({ ...args, agent: pool.secure })
      : requestHttp({ ...args, agent: pool.plain });
    // Lines beyond a thousand are no reason to pass on only some of them; their bytes are bounded.
    request.maxHeadersCount = 0;
    request.on('socket', trust);
    return request;
  }

  /** What `Host` says to a backend that wants to hear its own. */
  authority(origin: string): string {
    return this.#place(origin).authority;
  }

  #place(origin: string): Place {
    const known = this.#places.get(origin);
    if (known !== undefined) return known;
    const url = new URL(origin);
    const secure = url.protocol === 'https:';
    const place = {
      secure,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      authority: url.host,
    };
    this.#places.set(origin, place);
    return place;
  }

  /** Closes all connections, busy ones included. */
  close(): void {
    for (const { plain, secure } of [this.#kept, this.#fresh]) {
      plain.destroy();
      secure.destroy();
    }
  }
}

function poolWith(
  options: ConstructorParameters<typeof Agent>[0] & { readonly allowHalfOpen?: boolean },
): Pool {
  return { plain: new Agent(options), secure: new SecureAgent(options) };
}

function watchIdle(socket: Socket): void {
  socket.on('data', distrust);
}

function trust(socket: Socket): void {
  socket.off('data', distrust);
}

function distrust(this: Socket): void {
  this.destroy();
}
