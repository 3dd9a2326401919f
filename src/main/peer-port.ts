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
import { readSmallFile } from '../system/index.ts';

/** Files of TLS on the peer port. */
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

/** Listens before it resolves; rejects with what stands in the way. */
export async function openPeerPort(options: PeerPortOptions): Promise<PeerPort> {
  const { identity, events, listen, secrets = [], tls = null, pages = {} } = options;
  const { clock, timers, random, logger, meter } = options;
  const requiresCertificates = tls?.ca !== undefined;
  const allowed = checkExposure({ host: listen.host, hasSecrets: secrets.length > 0, requiresCertificates });
  if (!allowed.ok) throw allowed.error;
  if (secrets.length === 0 && !requiresCertificates && isLoopback(listen.host)) {
    logger.warn(
      { listen: listen.host },
      'without secrets or client certificates, only this host can reach the log',
    );
  }
  const speakingTls =
    tls === null ? null : { identity: openIdentity(tls, clock, random), figures: NO_FIGURES };
  const routes = Object.entries(pages).map(([path, page]) => [path, routeOf(page, logger)] as const);
  const tools = { clock, timers, random, logger, meter };
  const listener = new PeerListener({
    ...tools,
    secrets,
    tls: speakingTls,
    routes: Object.fromEntries(routes),
  });
  const peers = ClusterPeers.open({
    ...{ identity, server: listener.server, events, clock, timers, logger },
    tls: listener.tls,
  });
  if (!peers.ok) throw new ArrokothError('LOG_OPTIONS_INVALID', peers.error);
  const bound = await bindTcp(listen);
  if (!bound.ok) {
    peers.value.close();
    await listener.close(0);
    throw bound.error;
  }
  listener.listen(bound.value.handle);
  return {
    transport: peers.value,
    close: async () => {
      peers.value.close();
      await listener.close();
      bound.value.close();
    },
  };
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
