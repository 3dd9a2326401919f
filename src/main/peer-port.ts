/**
 * The port of one node of a replicated log: calls of its peers, and an application's own pages.
 *
 * Binds where it may, listens, and hands the network of one cluster to its driver.
 */
import {
  ArrokothError,
  type Clock,
  type Logger,
  type Meter,
  type Random,
  type Timers,
} from '../base/index.ts';
import type { TlsConfig } from '../config/index.ts';
import { type HttpRequest, type HttpResponse, readTlsMaterial, TlsIdentity } from '../net/index.ts';
import {
  ClusterPeers,
  checkExposure,
  type HostRoute,
  isLoopback,
  type PeerEvents,
  type PeerIdentity,
  PeerListener,
} from '../peer/index.ts';
import { bindTcp } from '../process/index.ts';
import type { PeerPort } from '../store/index.ts';
import { canOpen, readHost, readSmallFile } from '../system/index.ts';
import { PeerAccepting, peerGate } from './peer-accepting.ts';
import { watchTls } from './tls-watch.ts';

/** Files of TLS on the peer port; new ones in their place are shown within seconds. */
export interface LogTls {
  /** PEM files of the certificate that this node shows, with those that vouch for it, and of its key. */
  readonly cert: string;
  readonly key: string;
  /** A PEM file of whom peers' certificates have to come from; with it, every caller needs one. */
  readonly ca?: string;
}

/** A question for a page. */
export interface PageRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
}

/** A page. */
export interface PageAnswer {
  readonly status: number;
  /** Its media type. */
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** Answers GET and HEAD on one path. A rejection is answered with 500 and logged. */
export type PageHandler = (request: PageRequest) => PageAnswer | Promise<PageAnswer>;

/** What a port is opened with. */
export interface PeerPortOptions {
  readonly identity: PeerIdentity;
  readonly events: PeerEvents;
  readonly listen: { readonly host: string; readonly port: number };
  readonly secrets?: readonly string[];
  readonly tls?: LogTls;
  readonly pages?: Readonly<Record<string, PageHandler>>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** The port, and what an application may change about it while it is open. */
export interface OpenPeerPort extends PeerPort {
  /** The first signs from now on, all are believed; throws when the port would be open to everybody. */
  replaceSecrets(secrets: readonly string[]): void;
}

/** Listens before it resolves; rejects with what stands in the way. */
export async function openPeerPort(options: PeerPortOptions): Promise<OpenPeerPort> {
  const { identity: self, events, listen, secrets = [], tls = null, pages = {} } = options;
  const { clock, timers, random, logger, meter } = options;
  const check = (wanted: readonly string[]): void => checkSecrets(wanted, options);
  check(secrets);
  const identity = tls === null ? null : openIdentity(tls, clock, random);
  const routes = Object.entries(pages).map(([path, page]) => [path, routeOf(page, logger)] as const);
  const tools = { clock, timers, random, logger, meter };
  const refused = meter.counter({
    name: 'arrokoth_peer_sockets_refused_total',
    help: 'Sockets on the port for other nodes that were answered 503, or cut, for want of descriptors.',
    labels: ['outcome'],
  });
  const { descriptorsMax } = readHost();
  const listener = new PeerListener({
    ...{ ...tools, secrets, routes: Object.fromEntries(routes) },
    tls: identity === null ? null : { identity, figures: NO_FIGURES },
    gate: peerGate({
      ...{ descriptorsMax, isPlain: tls === null, logger },
      refused: (outcome) => refused.add(1, { outcome }),
    }),
  });
  const peers = ClusterPeers.open({
    ...{ identity: self, server: listener.server, events, clock, timers, logger },
    tls: listener.tls,
  });
  if (!peers.ok) throw new ArrokothError('LOG_OPTIONS_INVALID', peers.error);
  const bound = await bindTcp(listen);
  if (!bound.ok) {
    peers.value.close();
    await listener.close(0);
    throw bound.error;
  }
  const port = bound.value.port ?? listen.port;
  const accepting = new PeerAccepting(bound.value, {
    ...{ timers, logger, canOpen },
    bind: async () => {
      const again = await bindTcp({ host: listen.host, port });
      return again.ok ? again.value : null;
    },
    listen: ({ handle }) => listener.listen(handle),
    unlisten: () => listener.stopListening(),
  });
  const files = identity === null ? null : watchTls(identity.config, identity, { logger, meter });
  return {
    transport: peers.value,
    replaceSecrets: (wanted) => {
      check(wanted);
      listener.replaceSecrets(wanted);
      logger.info(
        { secrets: wanted.length },
        'calls are signed with the first of the new secrets from now on',
      );
    },
    close: async () => {
      files?.cancel();
      peers.value.close();
      await listener.close();
      accepting.close();
    },
  };
}

/** Throws when everybody who reaches the port would be believed. */
function checkSecrets(secrets: readonly string[], { listen, tls, logger }: PeerPortOptions): void {
  const { host } = listen;
  const requiresCertificates = tls?.ca !== undefined;
  const allowed = checkExposure({ host, hasSecrets: secrets.length > 0, requiresCertificates });
  if (!allowed.ok) throw allowed.error;
  if (secrets.length > 0 || requiresCertificates || !isLoopback(host)) return;
  logger.warn({ listen: host }, 'without secrets or client certificates, only this host can reach the log');
}

const NO_FIGURES = { shaken: () => {}, failed: () => {}, progress: () => {} };
const TICKET_KEY_BYTES = 48;

function openIdentity(tls: LogTls, clock: Clock, random: Random): TlsIdentity {
  const config: TlsConfig = {
    certificates: [{ cert: tls.cert, key: tls.key, passphrase: null }],
    minVersion: '1.3',
    unknownName: 'default',
    clientCertificates: tls.ca === undefined ? 'off' : 'required',
    clientCa: tls.ca ?? null,
  };
  const { material, problems } = readTlsMaterial(config, readSmallFile, clock.wallMs());
  if (material === null) throw new ArrokothError('TLS_UNUSABLE', `${problems.join('; ')}.`);
  return new TlsIdentity(config, material, Buffer.from(random.bytes(TICKET_KEY_BYTES)).toString('base64'));
}

function routeOf(page: PageHandler, logger: Logger): HostRoute {
  return (request, response) => {
    answer(page, request, response).catch((error: unknown) => {
      logger.error({ path: request.path, error: String(error) }, 'a page failed');
      response.send(500, ['Content-Type', 'text/plain'], 'Internal Server Error\n');
    });
  };
}

async function answer(page: PageHandler, request: HttpRequest, response: HttpResponse): Promise<void> {
  const { method, path, query } = request;
  const { status, type, body } = await page({ method, path, query });
  response.send(status, ['Content-Type', type, 'X-Content-Type-Options', 'nosniff'], body);
}
