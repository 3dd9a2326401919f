/**
 * A participant of the original on a port: the model behind the original's exact wire.
 *
 * For tests that put an original beside our nodes, in one process or in several.
 */
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cancellable } from '../../src/base/index.ts';
import type { ForeignCall, ForeignOutcome } from '../../src/peer/index.ts';
import { METHODS, readAnswer, readCall, Undecodable, writeAnswer, writeCall } from './legacy-codec.ts';
import { LegacyParticipant } from './legacy-participant.ts';
import type { LegacyApplication, LegacyFailure } from './legacy-receiver.ts';

export interface LegacyServerOptions {
  readonly cluster: string;
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly application: LegacyApplication;
  /** Pages beside the protocol, by path; the original's example has none. */
  readonly pages?: Readonly<Record<string, () => string>>;
  /** The program ends: Go calls it a panic. Absent: the connection is cut. */
  readonly panic?: (error: unknown) => void;
}

/** The example's own timeout. */
const TIMEOUT_MS = 3_000;

export class LegacyServer {
  readonly participant: LegacyParticipant;
  readonly #options: LegacyServerOptions;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  /** Calls that were made and received, for tests: method and direction. */
  readonly calls: ForeignCall[] = [];
  address = '';

  constructor(options: LegacyServerOptions) {
    this.#options = options;
    this.participant = new LegacyParticipant(options.cluster, options.application, {
      call: (to, call, done) => this.#call(to, call, done),
      after: (delayMs, run): Cancellable => {
        const timer = setTimeout(run, delayMs);
        return { cancel: () => clearTimeout(timer) };
      },
    });
    this.#server = createServer((incoming, response) => this.#serve(incoming, response));
  }

  listen(): Promise<string> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.address = `http://${host}:${(this.#server.address() as AddressInfo).port}`;
        resolve(this.address);
      });
    });
  }

  close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(() => done()));
  }

  /** A submission of its own application; rejects with what its client would be told. */
  submit(...changes: Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.participant.submit(changes, (failure: LegacyFailure | null) => {
        if (failure === null) resolve();
        else reject(new Error(`${failure.code}: ${failure.text}`));
      });
    });
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const path = incoming.url ?? '';
    const page = this.#options.pages?.[path];
    if (page !== undefined) {
      send(response, 200, page());
      return;
    }
    if (!path.startsWith(`/_clusterc/${this.#options.cluster}/`)) {
      send(response, 404, '404 page not found\n');
      return;
    }
    const method = METHODS.find((each) => path.endsWith(each));
    if (incoming.method !== 'POST' || method === undefined) {
      send(response, 400, '');
      return;
    }
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts).toString();
      if (body === '') {
        sendError(response, 'ERR_IO', "Couldn't read request");
        return;
      }
      try {
        const call = readCall(method, body);
        this.calls.push(call);
        this.participant.handle(call, (answer) => send(response, 200, writeAnswer(answer)));
      } catch (error) {
        if (error instanceof Undecodable) {
          sendError(response, 'ERR_ENCODING', `Couldn't decode body ${error.message}`);
          return;
        }
        response.destroy();
        this.#options.panic?.(error);
      }
    });
  }

  #call(to: string, call: ForeignCall, done: (outcome: ForeignOutcome) => void): void {
    let isDone = false;
    const settle = (outcome: ForeignOutcome): void => {
      if (isDone) return;
      isDone = true;
      done(outcome);
    };
    const fail = (error: Error): void => settle({ type: 'failed', detail: `HTTP Error ${error.message}` });
    let url: URL;
    try {
      url = new URL(`${to}/_clusterc/${this.#options.cluster}/${call.method}`);
    } catch (error) {
      fail(error as Error);
      return;
    }
    const headers = { 'Content-Type': 'application/json' };
    const outgoing = request(url, { method: 'POST', headers, agent: this.#agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', fail);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status !== 200) {
          settle({ type: 'answered', answer: { status, accepted: false, error: null } });
          return;
        }
        try {
          const answer = readAnswer(call.method, Buffer.concat(parts).toString());
          settle({ type: 'answered', answer });
        } catch (error) {
          fail(error as Error);
        }
      });
    });
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', fail);
    outgoing.end(writeCall(call));
  }
}

function sendError(response: ServerResponse, code: string, text: string): void {
  send(response, 500, JSON.stringify({ Code: code, Err: `${code}: ${text}` }));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
