/**
 * Puts callbacks and log lines of a connection into its trace.
 *
 * What a trace is and looks like is a rule of `relay/`; here it is decided whether there is one at
 * all. Off, everything is passed on as it was.
 */
import type { ConnectionId, LogFields, Random } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type { HttpRequest } from '../../net/index.ts';
import {
  type CallbackRequest,
  inTrace,
  readTrace,
  spanIdOf,
  type Trace,
  traceIdOf,
} from '../../relay/index.ts';

/** A connection, or an attempt to become one. */
export interface Traced {
  readonly id: ConnectionId;
  /** What its client named; null: nothing, or nothing that is believed. */
  readonly trace: Trace | null;
}

/** Span ids are shorter than those of traces. */
const SPAN_BYTES = 8;

/** The traces of one worker's connections. */
export class Tracing {
  readonly #live: LiveConfig;
  readonly #random: Random;

  constructor(doors: { readonly live: LiveConfig; readonly random: Random }) {
    this.#live = doors.live;
    this.#random = doors.random;
  }

  /** The trace that a connecting client names, if it is to be believed. */
  ofClient(request: HttpRequest): Trace | null {
    return this.#live.current.callback.trace === 'continue' ? read(request) : null;
  }

  /** The request as one span of its connection's trace. */
  carry(request: CallbackRequest, { id, trace }: Traced): CallbackRequest {
    const { trace: mode, traceSampled: sampled } = this.#live.current.callback;
    if (mode === 'off') return request;
    const own = trace ?? { id: traceIdOf(id), sampled, state: null };
    const { method, url, urls, list, body, chunked } = request;
    const headers = inTrace(request.headers, own, this.#span());
    // Each by its name: a spread costs more than all the rest, and this is done for every callback.
    return { method, url, urls, list, headers, body, chunked };
  }

  /** The lines of a request that is passed on, as a span of its client's trace or of a new one. */
  passOn(
    request: HttpRequest,
    headers: readonly string[],
  ): { headers: readonly string[]; traceId: string | undefined } {
    const { trace: mode, traceSampled: sampled } = this.#live.current.callback;
    if (mode === 'off') return { headers, traceId: undefined };
    const trace = this.ofClient(request) ?? { id: this.#span() + this.#span(), sampled, state: null };
    return { headers: inTrace(headers, trace, this.#span()), traceId: trace.id };
  }

  #span(): string {
    return spanIdOf(this.#random.bytes(SPAN_BYTES));
  }

  /** What log lines say of a connection. */
  facts({ id, trace }: Traced): LogFields {
    if (this.#live.current.callback.trace === 'off') return { connection: id };
    return { connection: id, trace_id: trace?.id ?? traceIdOf(id) };
  }

  /** The trace that the application names in a call of its own. */
  idOfCall(request: HttpRequest): string | undefined {
    return this.#live.current.callback.trace === 'off' ? undefined : read(request)?.id;
  }
}

function read(request: HttpRequest): Trace | null {
  const traceparents = request.headerLines('traceparent');
  return traceparents.length === 0 ? null : readTrace(traceparents, request.headerLines('tracestate'));
}
