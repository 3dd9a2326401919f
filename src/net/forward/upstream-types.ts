/**
 * The doors of requests that are passed on to a backend and never read whole.
 *
 * A role decides where they go, with which lines, and what becomes of failures; bytes, sockets and
 * time stay in this room. Times are bounds of `UpstreamClient`; nothing here holds a stream.
 */
import type { BackendHealthConfig } from '../../config/index.ts';
import type { AttemptFacts, BodyFraming, ForwardFailureKind } from '../../relay/index.ts';
import type { HttpAnswerHead, RawHeaders } from '../types.ts';

/** Why an attempt at a backend came to nothing. `message` is for logs: a host and an error, no more. */
export interface AttemptFailure {
  readonly kind: ForwardFailureKind;
  readonly message: string;
  readonly facts: AttemptFacts;
}

/** What a backend's answer may become: lines for the client, or nothing but a failure. */
export type AnswerVerdict =
  | { readonly type: 'pass'; readonly headers: RawHeaders }
  | { readonly type: 'refuse'; readonly problem: string };

/** How it ended. */
export interface ForwardEnd {
  readonly type: /** The whole answer has gone out. */
    | 'done'
    /** No backend gave a whole answer; `plan.failed` has said why. */
    | 'failed'
    /** The client left; the backend's request was given up. */
    | 'client_gone'
    /** The client sent or took nothing for too long. */
    | 'client_slow'
    /** The client's body is larger than is allowed. */
    | 'too_large'
    /** The client sent more requests ahead than are kept waiting. */
    | 'pipelined';
  /**
   * Status of the head that went out; null: none did, and unless the client has left the role
   * answers now.
   */
  readonly status: number | null;
  /** Bytes of bodies, without framing. */
  readonly requestBytes: number;
  readonly answerBytes: number;
}

/** What a role says about one request that goes on. The methods are called in the order of this list. */
export interface ForwardPlan {
  /** Lines for the backend, `Host` and framing excepted. */
  readonly headers: RawHeaders;
  /** What `Host` says; null: the backend's own host and port. */
  readonly host: string | null;
  readonly body: BodyFraming;
  /** The origin of the backend to ask, `http://host:port`; null: none, and `ended` follows. */
  next(): string | null;
  /** An attempt failed. True: make another one. Never called twice for one `next`. */
  failed(failure: AttemptFailure): boolean;
  /** The backend answers. */
  answered(head: HttpAnswerHead): AnswerVerdict;
  /** The backend has done its part; the client may still be reading. Not called after `failed`. */
  backendDone(): void;
  /** Called once, last. */
  ended(end: ForwardEnd): void;
}

/** The same for a request that wants to become a WebSocket. */
export interface TunnelPlan extends Omit<ForwardPlan, 'body'> {
  /** The backend agreed, and bytes go both ways from here on. `ended` follows when they no longer do. */
  opened(): void;
}

/** Bounds of all that is passed on. Durations in milliseconds. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number;
  /** From the last byte of the request to the head of the answer. */
  readonly responseTimeoutMs: number;
  /** How long nothing at all may move. */
  readonly idleTimeoutMs: number;
  readonly bodyBytesMax: number;
  /** Idle connections that are kept to each backend. */
  readonly idleSocketsMax: number;
  readonly idleSocketMs: number;
  /** How long a tunnel may be silent; 0: for ever. */
  readonly tunnelIdleTimeoutMs: number;
  readonly health: BackendHealthConfig;
}
