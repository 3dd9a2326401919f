/**
 * Takes accepted sockets through their TLS handshakes, and hands on those that made it.
 *
 * A handshake and the head of the first request share one bound of time. node:tls does the talking;
 * this file counts, cuts what is late, looks at client certificates, and tells whoever speaks plain
 * HTTP to this port what is wrong. Which certificate is shown is known to `tls-identity.ts`.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Cancellable, Clock, Logger, Timers } from '../../base/index.ts';
import type { ClientTls } from '../../relay/index.ts';
import { noteTlsClient } from '../client/tls-client.ts';
import { closingResponse } from '../http/plain-response.ts';
import { keepSource } from '../http/proxied-sockets.ts';
import { type TlsFailure, tlsFailureOf } from './tls-failures.ts';
import type { TlsAudience, TlsIdentity } from './tls-identity.ts';
import { acceptedSocketOf } from './tls-layers.ts';

/** What is counted; one object for all listeners of a worker. */
export interface TlsFigures {
  /** A handshake is done; `resumed`: with a ticket of an earlier one. */
  shaken(resumed: boolean): void;
  failed(failure: TlsFailure): void;
  /** Handshakes in progress have changed by this many. */
  progress(change: 1 | -1): void;
}

/** How one listener speaks TLS. */
export interface TlsListener {
  readonly identity: TlsIdentity;
  readonly audience: TlsAudience;
  readonly figures: TlsFigures;
}

/** What the sockets of one listener are judged by. */
export interface TlsSocketsDoors extends TlsListener {
  /** How long a handshake and the head of a request may take together. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Gets each socket whose handshake is done. */
  proceed(socket: Socket): void;
  /** Gets a socket whose handshake is done, and whose first request is late. */
  overdue(socket: Socket): void;
}

/** A socket whose first request is still to come. `secure` null: its handshake is not done either. */
interface Arrival {
  readonly owner: TlsSockets;
  readonly deadlineMs: number;
  secure: TLSSocket | null;
  failure: TlsFailure | null;
}

const ARRIVAL = Symbol('arrival');
type ArrivingSocket = Socket & { [ARRIVAL]?: Arrival | undefined };

/** How often sockets that are overdue are looked for. */
const SWEEPS_PER_TIMEOUT = 10;
const SWEEP_MAX_MS = 1_000;
const SWEEP_MIN_MS = 10;

/** Never: node's own bound does not cover the head of a request, and is not ours to change later. */
const NODE_TIMEOUT_MS = 2 ** 31 - 1;
const NO_CERTIFICATE: Readonly<Record<'asked' | 'unasked', ClientTls>> = {
  asked: { certificateAsked: true, certificate: null },
  unasked: { certificateAsked: false, certificate: null },
};
const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];

/** The handshakes of one listener. */
export class TlsSockets {
  readonly #doors: TlsSocketsDoors;
  readonly #server: Server;
  readonly #asks: boolean;
  readonly #waiting = new Set<ArrivingSocket>();
  #sweep: Cancellable;
  #timeoutMs: number;

  constructor(doors: TlsSocketsDoors) {
    this.#doors = doors;
    const { identity, audience, timeoutMs } = doors;
    this.#timeoutMs = timeoutMs;
    const { clientCertificates } = identity.config;
    this.#asks = audience === 'clients' && clientCertificates !== 'off';
    this.#server = createServer({
      ...identity.unnamed(audience),
      // The client that speaks nothing of this gets an alert that says so.
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => done(null, identity.find(audience, name) ?? undefined),
      requestCert: this.#asks,
      // OpenSSL tells a client without a certificate what is missing. The rest is decided here.
      rejectUnauthorized: this.#asks && clientCertificates === 'required',
      handshakeTimeout: NODE_TIMEOUT_MS,
    });
    identity.onChange(() => this.#server.setSecureContext(identity.unnamed(audience)));
    this.#server.on('secureConnection', (socket) => this.#shaken(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(socket, error));
    this.#sweep = this.#sweepEvery(timeoutMs);
  }

  /** From now on a handshake and a head may take this long. */
  adjust(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#sweep.cancel();
    this.#sweep = this.#sweepEvery(timeoutMs);
  }

  /** A socket that was just accepted, or whose PROXY header was just read. */
  take(socket: ArrivingSocket): void {
    const deadlineMs = this.#doors.clock.monotonicMs() + this.#timeoutMs;
    socket[ARRIVAL] = { owner: this, deadlineMs, secure: null, failure: null };
    this.#waiting.add(socket);
    this.#doors.figures.progress(1);
    socket.on('close', onClose);
    // Bytes that were given back must wait for node:tls and not flow past it.
    socket.pause();
    // Who leaves within a handshake is not waited for. node:tls gives this on to the socket that it makes.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  /** The head of a request has been read from the socket. */
  arrived(socket: Socket): void {
    const accepted = acceptedSocketOf(socket);
    if (accepted !== null) this.#waiting.delete(accepted);
  }

  /** The socket is gone, at whatever stage. */
  gone(socket: ArrivingSocket, arrival: Arrival): void {
    this.#waiting.delete(socket);
    if (arrival.secure !== null) return;
    const { figures, timers } = this.#doors;
    figures.progress(-1);
    // node:tls says why only after the accepted socket is closed.
    timers.endOfTurn(() => figures.failed(arrival.failure ?? 'gone'));
  }

  /** Cuts what has not made it, and watches nobody any more. */
  stop(): void {
    this.#sweep.cancel();
    for (const socket of this.#waiting) if (socket[ARRIVAL]?.secure === null) socket.destroy();
  }

  #shaken(socket: TLSSocket): void {
    const accepted = acceptedSocketOf(socket) as ArrivingSocket;
    const arrival = accepted[ARRIVAL];
    if (arrival === undefined || socket.destroyed) return;
    const client = this.#clientOf(socket);
    if (client === null) {
      arrival.failure = 'client_certificate';
      this.#note(socket, 'client_certificate', String(socket.authorizationError ?? 'no certificate'));
      socket.destroy();
      return;
    }
    arrival.secure = socket;
    // From here on as node:http has it: the end of a request is not the end of its answer.
    socket.allowHalfOpen = true;
    this.#doors.figures.progress(-1);
    this.#doors.figures.shaken(socket.isSessionReused());
    socket.disableRenegotiation();
    socket.on('error', onSecureError);
    noteTlsClient(socket, client);
    keepSource(accepted, socket);
    this.#doors.proceed(socket);
  }

  /** What the application is told; null: the client may not come in. */
  #clientOf(socket: TLSSocket): ClientTls | null {
    if (!this.#asks) return NO_CERTIFICATE.unasked;
    // A resumed session without a certificate counts as authorized, so the certificate itself is asked for.
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) {
      const { clientCertificates } = this.#doors.identity.config;
      return clientCertificates === 'required' ? null : NO_CERTIFICATE.asked;
    }
    if (!socket.authorized) return null;
    const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    const { subject, subjectAltName: names = '' } = certificate;
    return { certificateAsked: true, certificate: { subject, names, fingerprint } };
  }

  #failed(socket: TLSSocket, error: NodeJS.ErrnoException): void {
    const { identity, audience } = this.#doors;
    const accepted = acceptedSocketOf(socket) as ArrivingSocket | null;
    const arrival = accepted?.[ARRIVAL];
    if (accepted === null || arrival === undefined || arrival.failure !== null) return;
    const asked = typeof socket.servername === 'string' ? socket.servername : '';
    const refuses = identity.config.unknownName === 'refuse' && identity.find(audience, asked) === null;
    // node:tls itself closes the socket of a client that nobody vouches for, and then calls it gone.
    const unverified = socket.authorizationError != null;
    arrival.failure = unverified ? 'client_certificate' : tlsFailureOf(error.code, refuses);
    this.#note(accepted, arrival.failure, unverified ? String(socket.authorizationError) : error.code);
    if (arrival.failure === 'plain_http') this.#answerPlain(accepted);
  }

  /** node:tls closes the socket as soon as we return, so what the kernel does not take now is lost. */
  #answerPlain(socket: Socket): void {
    const body = 'This port speaks TLS: use https:// or wss://.\n';
    socket.write(closingResponse({ status: 400, headers: PLAIN_TEXT, body }, this.#doors.clock.wallMs()));
  }

  #sweepEvery(timeoutMs: number): Cancellable {
    return this.#doors.timers.every(sweepPeriodMs(timeoutMs), () => this.#cutOverdue());
  }

  #cutOverdue(): void {
    const nowMs = this.#doors.clock.monotonicMs();
    for (const socket of this.#waiting) {
      const arrival = socket[ARRIVAL] as Arrival;
      if (nowMs < arrival.deadlineMs) continue;
      this.#waiting.delete(socket);
      if (arrival.secure !== null) {
        this.#doors.overdue(arrival.secure);
      } else {
        arrival.failure ??= 'timeout';
        socket.destroy();
      }
    }
  }

  /** Renegotiation is counted where it happens: its socket has left this list long ago. */
  renegotiated(socket: Socket): void {
    this.#doors.figures.failed('renegotiation');
    socket.destroy();
  }

  #note(socket: Socket, failure: TlsFailure, detail: string | undefined): void {
    this.#doors.logger.debug({ peer: socket.remoteAddress, failure, detail }, 'a TLS handshake failed');
  }
}

function sweepPeriodMs(timeoutMs: number): number {
  return Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, Math.floor(timeoutMs / SWEEPS_PER_TIMEOUT)));
}

function onClose(this: ArrivingSocket): void {
  const arrival = this[ARRIVAL];
  arrival?.owner.gone(this, arrival);
}

function onSecureError(this: Socket, error: NodeJS.ErrnoException): void {
  // Every other error is followed by `close`, which says all that matters.
  if (error.code !== 'ERR_TLS_RENEGOTIATION_DISABLED') return;
  const accepted = acceptedSocketOf(this) as ArrivingSocket | null;
  accepted?.[ARRIVAL]?.owner.renegotiated(this);
}
