/**
 * An application that counts: whom it admitted, and which ends it was told of, how often.
 *
 * Leaner than `startApplication`, for tens of thousands of callbacks. It can go down while the node
 * runs (refuse connections, or answer 503) and come back on the same port. Nothing is judged here;
 * see `end-faults.ts`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanUpAfterwards } from '../support/cleanup.ts';
import { AwaitedNumber } from './awaited-number.ts';
import { Concurrency } from './concurrency.ts';

/** A connection that was admitted: the application's 200 was written. */
export interface Admitted {
  readonly connection: string;
  readonly key: string;
}

/** One end, as it was told. */
export interface ToldEnd {
  readonly eventId: string;
  readonly connection: string;
  readonly key: string;
  readonly reason: string;
  readonly code: number;
  /** Requests that bore this event id, those that were refused with 503 included. */
  requests: number;
  /** Those that were answered with 200. */
  accepted: number;
}

/** What the application does with a connect: admits it, refuses it, or takes its time. */
export type ConnectDecision = 'admit' | 'refuse' | Promise<'admit' | 'refuse'>;

export class CountingApplication {
  /** By connection id. */
  readonly admitted = new Map<string, Admitted>();
  /** By event id. */
  readonly ends = new Map<string, ToldEnd>();
  /** How many ends were accepted, each event id once. */
  readonly endCount = new AwaitedNumber('ends');
  /** Connect callbacks that arrived. */
  readonly asked = new AwaitedNumber('connect callbacks');
  /** Close callbacks that were turned away with 503. */
  readonly turnedAway = new AwaitedNumber('close callbacks turned away');
  /** Requests that contradict what the same event id said before. */
  readonly contradictions: string[] = [];
  /** Callbacks that have arrived and are not answered, by kind. */
  readonly atOnce = new Concurrency();
  /** True: the hello of each connection is its id. */
  introduces = false;
  decide: (query: URLSearchParams) => ConnectDecision = () => 'admit';
  establishStatus = 200;
  /** True: close callbacks are answered with 503. */
  busy = false;
  /** True: close callbacks are counted and never answered. */
  silent = false;
  readonly #server: Server;
  #port = 0;

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
      incoming.resume();
      this.#serve(incoming, response);
    });
  }

  static async start(): Promise<CountingApplication> {
    const application = new CountingApplication();
    await application.comeBack();
    cleanUpAfterwards(() => application.goAway());
    return application;
  }

  /** Goes under `callback:` in a node's configuration, `establish` apart. */
  get callback(): { readonly connect: string; readonly close: string } {
    return { connect: this.url('connect'), close: this.url('close') };
  }

  url(kind: 'connect' | 'establish' | 'receive' | 'close'): string {
    return `http://127.0.0.1:${this.#port}/${kind}`;
  }

  /** Refuses connections from now on. */
  goAway(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Listens again, on the same port. */
  comeBack(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', 4_096, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const target = new URL(incoming.url ?? '/', 'http://application');
    // A request whose sender died is over when its socket is.
    response.once('close', this.atOnce.enter(target.pathname.slice(1), response));
    if (target.pathname === '/connect') this.#connect(incoming, response, target.searchParams);
    else if (target.pathname === '/close') this.#close(incoming, response);
    else response.writeHead(target.pathname === '/establish' ? this.establishStatus : 200).end();
  }

  #connect(incoming: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const connection = headerOf(incoming, 'x-arrokoth-connection');
    const key = query.get('key') ?? connection;
    this.asked.add(1);
    const decided = (decision: 'admit' | 'refuse'): void => {
      if (decision === 'refuse') {
        response.writeHead(403).end();
        return;
      }
      this.admitted.set(connection, { connection, key });
      const hello = this.introduces ? connection : '';
      const headers = ['X-Kuiperbelt-Session', key, 'Content-Length', String(hello.length)];
      for (const channel of query.getAll('channel')) headers.push('X-Kuiperbelt-Channel', channel);
      response.writeHead(200, headers).end(hello);
    };
    const decision = this.decide(query);
    if (typeof decision === 'string') decided(decision);
    else void decision.then(decided);
  }

  #close(incoming: IncomingMessage, response: ServerResponse): void {
    const told: ToldEnd = {
      eventId: headerOf(incoming, 'x-arrokoth-event-id'),
      connection: headerOf(incoming, 'x-arrokoth-connection'),
      key: headerOf(incoming, 'x-kuiperbelt-session'),
      reason: headerOf(incoming, 'x-arrokoth-reason'),
      code: Number(headerOf(incoming, 'x-arrokoth-close-code')),
      requests: 0,
      accepted: 0,
    };
    const known = this.ends.get(told.eventId);
    const end = known ?? told;
    if (known === undefined) this.ends.set(told.eventId, told);
    else if (!sameEnd(known, told)) {
      this.contradictions.push(`${JSON.stringify(known)} and then ${JSON.stringify(told)}`);
    }
    end.requests++;
    if (this.silent) return;
    if (this.busy) {
      response.writeHead(503, ['Content-Length', '0']).end();
      this.turnedAway.add(1);
      return;
    }
    end.accepted++;
    response.writeHead(200, ['Content-Length', '0']).end();
    if (end.accepted === 1) this.endCount.add(1);
  }
}

function headerOf(incoming: IncomingMessage, name: string): string {
  return incoming.headers[name]?.toString() ?? '';
}

function sameEnd(left: ToldEnd, right: ToldEnd): boolean {
  const { connection, key, reason, code } = left;
  return (
    connection === right.connection && key === right.key && reason === right.reason && code === right.code
  );
}
