/**
 * Carries the body of a backend's answer to a client, no faster than the client takes it.
 *
 * The head goes out with the first bytes of the body when they come in the same turn, else alone at
 * its end: an event stream that says nothing yet has begun all the same. Trailers are dropped. When
 * the answer does not end as it should, the client's connection is reset, so that half an answer
 * cannot pass for a whole one, not even where only the end of the connection delimits it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Timers } from '../../base/index.ts';
import type { RawHeaders } from '../types.ts';

/** Whom a pump tells. */
export interface AnswerPumpEvents {
  /** Something moved. */
  progress(): void;
  /** The backend has said everything. */
  read(): void;
  /** The client has got everything. */
  written(): void;
  /** The backend's connection ended within the body, or its framing broke. */
  brokenOff(): void;
}

/** One answer on its way. */
export class AnswerPump {
  bytes = 0;
  readonly #answer: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #events: AnswerPumpEvents;
  #state: 'reading' | 'read' | 'stopped' = 'reading';
  #flowing = false;

  constructor(answer: IncomingMessage, response: ServerResponse, events: AnswerPumpEvents) {
    this.#answer = answer;
    this.#response = response;
    this.#events = events;
  }

  /** True while the client takes nothing and bytes for it wait. */
  get waitsForClient(): boolean {
    return this.#state === 'read' || this.#response.writableNeedDrain;
  }

  start(status: number, headers: RawHeaders, timers: Timers): void {
    const answer = this.#answer;
    const response = this.#response;
    response.writeHead(status, headers as string[]);
    answer.on('data', (chunk: Buffer) => this.#carry(chunk));
    answer.on('end', () => this.#end());
    answer.on('error', ignore);
    answer.on('close', () => this.#closed());
    response.on('drain', () => {
      this.#events.progress();
      answer.resume();
    });
    response.on('finish', () => {
      if (this.#state === 'read') this.#events.written();
    });
    timers.endOfTurn(() => {
      if (!this.#flowing && this.#state === 'reading') response.flushHeaders();
    });
  }

  /** Lets go of the backend's answer. */
  stop(): void {
    this.#state = 'stopped';
    this.#answer.destroy();
  }

  #carry(chunk: Buffer): void {
    if (this.#state !== 'reading') return;
    this.#flowing = true;
    this.bytes += chunk.length;
    this.#events.progress();
    if (!this.#response.write(chunk)) this.#answer.pause();
  }

  #end(): void {
    if (this.#state !== 'reading' || !this.#answer.complete) return;
    this.#state = 'read';
    this.#events.read();
    this.#response.end();
  }

  #closed(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'stopped';
    this.#events.brokenOff();
  }
}

function ignore(): void {
  // `close` follows in every case.
}
