/**
 * One request that is passed on, as the role sees it: which backends it tries, what its client hears
 * when none of them answers, and what is written down about it.
 *
 * The same for handshakes of WebSockets, which take other places and last longer. Bytes are `net/`'s.
 */
import type { Clock, Logger } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type {
  AnswerVerdict,
  AttemptFailure,
  ForwardEnd,
  ForwardPlan,
  HttpAnswerHead,
  HttpRequest,
  TunnelPlan,
} from '../../net/index.ts';
import {
  answerProblem,
  type Backends,
  type BackendVisit,
  type BodyFraming,
  type ForwardFailureKind,
  forwardFailureAnswer,
  mayTryAgain,
  type OutgoingAnswer,
  passedAnswerLines,
  statusAnswer,
  upstreamBusyAnswer,
} from '../../relay/index.ts';
import type { UpstreamRefusal, UpstreamStats } from './upstream-stats.ts';

/** What all of them share. */
export interface ProxiedParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stats: UpstreamStats;
  readonly backends: Backends;
  /** By number. */
  readonly origins: readonly string[];
  readonly inFlightMax: number;
  readonly tunnelsMax: number;
  readonly live: LiveConfig;
}

/** What is known of a request before it goes. */
export interface ProxiedFacts {
  readonly request: HttpRequest;
  readonly headers: readonly string[];
  readonly body: BodyFraming;
  /** Null: the backend's own. */
  readonly host: string | null;
  readonly traceId: string | undefined;
  /** True: it wants to become a WebSocket. */
  readonly upgrade: boolean;
  /** Answers in place of a backend. */
  answer(answer: OutgoingAnswer): void;
}

/** An application's own id of a request; enough for a UUID or a trace id, too little to fill a log. */
const REQUEST_ID_CHARACTERS_MAX = 128;
/** Backends that could not be reached at all; the others are there, whatever they said. */
const UNREACHED = new Set<ForwardFailureKind>(['unreachable', 'connect_timeout']);
const REFUSALS: Readonly<Record<'client_slow' | 'too_large', number>> = { client_slow: 408, too_large: 413 };

/** Decides for one request. */
export class ProxiedRequest implements ForwardPlan, TunnelPlan {
  readonly headers: readonly string[];
  readonly body: BodyFraming;
  readonly host: string | null;
  readonly #parts: ProxiedParts;
  readonly #facts: ProxiedFacts;
  readonly #tried: number[] = [];
  #hasPlace = false;
  #visit: BackendVisit | null = null;
  #backend: number | null = null;
  #takenAtMs = 0;
  #failure: ForwardFailureKind | null = null;
  #refusal: { readonly kind: UpstreamRefusal; readonly answer: OutgoingAnswer } | null = null;

  constructor(parts: ProxiedParts, facts: ProxiedFacts) {
    this.#parts = parts;
    this.#facts = facts;
    this.headers = facts.headers;
    this.body = facts.body;
    this.host = facts.host;
  }

  next(): string | null {
    const { backends, clock, origins } = this.#parts;
    if (!this.#takePlace()) return null;
    const nowMs = clock.monotonicMs();
    const visit = backends.take(nowMs, this.#tried);
    if (visit === null) {
      if (this.#failure === null) this.#refuseForNow(backends.retryAtMs(), nowMs);
      return null;
    }
    this.#visit = visit;
    this.#backend = visit.backend;
    this.#takenAtMs = nowMs;
    return origins[visit.backend] as string;
  }

  failed({ kind, message, facts }: AttemptFailure): boolean {
    const { backends, clock, logger, origins, stats } = this.#parts;
    const visit = this.#visit as BackendVisit;
    this.#visit = null;
    const again = mayTryAgain(facts);
    // A connection that died while it was idle says nothing about its backend, which is asked again.
    if (again && facts.reused) {
      backends.abandoned(visit);
      return true;
    }
    this.#failure = kind;
    this.#tried.push(visit.backend);
    stats.failed(visit.backend, kind);
    logger.debug({ backend: origins[visit.backend], kind, cause: message }, 'a backend failed');
    // Clients can make a backend answer badly or late; they must not be able to have all of them rest.
    backends.failed(visit, UNREACHED.has(kind) ? 'unanswered' : 'answered', clock.monotonicMs());
    return again;
  }

  answered(head: HttpAnswerHead): AnswerVerdict {
    const { status } = head;
    if (status !== 101) {
      const problem = answerProblem(status, head.headerLines('transfer-encoding'));
      if (problem !== null) return { type: 'refuse', problem };
    }
    const { clock, stats } = this.#parts;
    stats.answered(this.#backend as number, status, clock.monotonicMs() - this.#takenAtMs);
    return { type: 'pass', headers: passedAnswerLines(status, head.rawHeaders) };
  }

  backendDone(): void {
    const { backends, clock } = this.#parts;
    const visit = this.#visit;
    this.#visit = null;
    if (visit !== null) backends.succeeded(visit, clock.monotonicMs());
  }

  opened(): void {
    this.backendDone();
  }

  ended(end: ForwardEnd): void {
    const { backends, stats } = this.#parts;
    if (this.#visit !== null) backends.abandoned(this.#visit);
    this.#visit = null;
    this.#leavePlace();
    stats.moved(end.requestBytes, end.answerBytes);
    if (end.type !== 'done' && end.type !== 'failed') stats.failed(this.#backend, end.type);
    const left = end.type === 'client_gone' || end.type === 'pipelined';
    const answer = end.status === null && !left ? this.#ownAnswer(end.type) : null;
    if (answer !== null) this.#facts.answer(answer);
    this.#log(end, answer);
  }

  #takePlace(): boolean {
    if (this.#hasPlace) return true;
    const { stats, inFlightMax, tunnelsMax } = this.#parts;
    const { upgrade } = this.#facts;
    if (upgrade ? stats.tunnels >= tunnelsMax : stats.inFlight >= inFlightMax) {
      this.#refuse('busy', upstreamBusyAnswer('too many requests are on their way'));
      return false;
    }
    this.#hasPlace = true;
    if (upgrade) stats.tunnels++;
    else stats.inFlight++;
    return true;
  }

  #leavePlace(): void {
    if (!this.#hasPlace) return;
    const { stats } = this.#parts;
    if (this.#facts.upgrade) stats.tunnels--;
    else stats.inFlight--;
  }

  #refuseForNow(retryAtMs: number | null, nowMs: number): void {
    const seconds = retryAtMs === null ? 1 : Math.max(1, Math.ceil((retryAtMs - nowMs) / 1_000));
    this.#refuse('no_backend', upstreamBusyAnswer('the application cannot be reached', seconds));
  }

  #refuse(kind: UpstreamRefusal, answer: OutgoingAnswer): void {
    this.#parts.stats.failed(null, kind);
    this.#refusal = { kind, answer };
  }

  #ownAnswer(type: ForwardEnd['type']): OutgoingAnswer {
    if (type === 'client_slow' || type === 'too_large') return statusAnswer(REFUSALS[type]);
    return this.#refusal?.answer ?? forwardFailureAnswer(this.#failure ?? 'closed');
  }

  #log(end: ForwardEnd, answer: OutgoingAnswer | null): void {
    const { live, logger } = this.#parts;
    if (live.current.suppressAccessLog) return;
    const { request, traceId } = this.#facts;
    const failure =
      end.type === 'done'
        ? undefined
        : end.type === 'failed'
          ? (this.#refusal?.kind ?? this.#failure)
          : end.type;
    logger.info(
      {
        method: request.method,
        // The path alone: a query may carry a token.
        url: request.path,
        status: end.status ?? answer?.status,
        size: answer?.body.length ?? end.answerBytes,
        backend: this.#backend ?? undefined,
        failure: failure ?? undefined,
        requestId: request.header('x-request-id')?.slice(0, REQUEST_ID_CHARACTERS_MAX),
        trace_id: traceId,
      },
      'access',
    );
  }
}
