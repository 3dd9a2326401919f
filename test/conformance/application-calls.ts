/**
 * The calls that an application makes to a node, and what it is told.
 *
 * Thin on purpose: headers are lines and answers are bytes, because both are what the tests of this
 * folder are about. Bodies are given here once, so that a test shows only what is its own.
 */
import type { Agent } from 'node:http';
import { type NodeAddress, request, type TestAnswer } from '../support/index.ts';

/** Bodies that many answers share. */
export const BODY = {
  ok: '{"result":"OK"}',
  methodMissing: '{"errors":[{"error":"required POST method"}],"result":"NG"}',
  sessionMissing: '{"errors":[{"error":"session header is missing"}],"result":"NG"}',
  channelMissing: '{"errors":[{"error":"channel header is missing"}],"result":"NG"}',
  unauthorized: '{"errors":[{"error":"bearer token is missing or wrong"}],"result":"NG"}',
  notFound: '404 page not found\n',
} as const;

export const JSON_TYPE = 'application/json; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Whom a call is for and what it carries. */
export interface Call {
  readonly sessions?: readonly string[];
  readonly channels?: readonly string[];
  readonly body?: string | Uint8Array;
  readonly type?: string;
  /** Further header lines: name, value, name, value. */
  readonly headers?: readonly string[];
  readonly method?: string;
  /** Chooses the connection, and with it the worker. */
  readonly agent?: Agent;
}

/** What an answer says, in the form in which tests compare it. */
export interface Told {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** The six counters of `/stats`. */
export interface Stats {
  readonly connections: number;
  readonly total_connections: number;
  readonly total_messages: number;
  readonly connect_errors: number;
  readonly message_errors: number;
  readonly closing_connections: number;
}

/** An application as a node's listener meets it. */
export class ApplicationCalls {
  readonly #address: Pick<NodeAddress, 'url' | 'socketPath'>;
  readonly #lines: readonly string[];

  /** `lines`: header lines of every call, such as a token. */
  constructor(address: Pick<NodeAddress, 'url' | 'socketPath'>, lines: readonly string[] = []) {
    this.#address = address;
    this.#lines = lines;
  }

  /** `POST path`, or another method. */
  async call(path: string, call: Call = {}): Promise<TestAnswer> {
    const lines = [...this.#lines, ...(call.headers ?? [])];
    for (const key of call.sessions ?? []) lines.push('X-Kuiperbelt-Session', key);
    for (const channel of call.channels ?? []) lines.push('X-Kuiperbelt-Channel', channel);
    if (call.type !== undefined) lines.push('Content-Type', call.type);
    const { url, socketPath } = this.#address;
    const method = call.method ?? 'POST';
    return await request({
      ...(socketPath === null ? { url } : { socketPath }),
      // As it stands: a URL object would take dots and doubled slashes away.
      path,
      method,
      headers: lines,
      ...(method === 'GET' ? {} : { body: call.body ?? '' }),
      ...(call.agent === undefined ? {} : { agent: call.agent }),
    });
  }

  /** `POST path`, and what it was told. */
  async told(path: string, call: Call = {}): Promise<Told> {
    return told(await this.call(path, call));
  }

  send(call: Call): Promise<Told> {
    return this.told('/send', call);
  }

  close(call: Call): Promise<Told> {
    return this.told('/close', call);
  }

  subscribe(call: Call): Promise<Told> {
    return this.told('/subscribe', call);
  }

  unsubscribe(call: Call): Promise<Told> {
    return this.told('/unsubscribe', call);
  }

  async stats(): Promise<Stats> {
    return (await this.call('/stats', { method: 'GET' })).json() as Stats;
  }

  /** The counters as soon as they are as `fits` wants them: workers report theirs within moments. */
  async statsWhen(fits: (stats: Stats) => boolean, timeoutMs = 10_000): Promise<Stats> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const stats = await this.stats();
      if (fits(stats)) return stats;
      if (performance.now() > untilMs) throw new Error(`the counters stay at ${JSON.stringify(stats)}`);
    }
  }
}

/** Nobody is connected and nothing is owed to the application. */
export function isQuiet(stats: Stats): boolean {
  return stats.connections === 0 && stats.closing_connections === 0;
}

/** What an answer says. */
export function told(answer: TestAnswer): Told {
  return { status: answer.status, type: answer.header('Content-Type'), body: answer.text };
}

/** The answer when everybody was served. */
export const ALL_WELL: Told = { status: 200, type: JSON_TYPE, body: BODY.ok };

/** The released program's answer about sessions that it does not know. */
export function unknown(keys: readonly string[], result: 'OK' | 'NG' = 'OK'): Told {
  const errors = keys.map((key) => `{"error":"kuiperbelt: session is not found","session":"${key}"}`);
  const body = `{"errors":[${errors.join(',')}],"result":"${result}"}\n`;
  return { status: result === 'OK' ? 200 : 400, type: TEXT_TYPE, body };
}

/** How much each counter has grown. */
export function growth(before: Stats, after: Stats): Partial<Stats> {
  const names = Object.keys(after) as (keyof Stats)[];
  const grown = names.filter((name) => after[name] !== before[name]);
  return Object.fromEntries(grown.map((name) => [name, after[name] - before[name]]));
}
