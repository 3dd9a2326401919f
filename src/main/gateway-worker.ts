/**
 * Builds a gateway worker: the gateway role on its real adapters.
 *
 * Earlier journals are adopted before the worker is ready, so that what they owe cannot be forgotten
 * by a death in between.
 */
import { METRICS_KIND } from '../api/index.ts';
import { assert, workerAddress } from '../base/index.ts';
import { MeshBus } from '../bus/index.ts';
import type { Config } from '../config/index.ts';
import { Gateway } from '../gateway/index.ts';
import { adoptJournals, JournalWriter, journalPath, systemDisk } from '../journal/index.ts';
import {
  HttpServer,
  type HttpServerOptions,
  MessageCompression,
  type ProxyProtocolRule,
  type TlsListener,
  UpstreamClient,
} from '../net/index.ts';
import type { ListenerName } from '../process/index.ts';
import { TrustedProxies } from '../relay/index.ts';
import { canOpen, systemClock, systemRandom, systemTimers } from '../system/index.ts';
import { buildCallbackClient } from './callback-client.ts';
import { returningListeners } from './listener-returns.ts';
import { LoadReports } from './load-reports.ts';
import { serverRules } from './server-rules.ts';
import { WorkerDescriptors } from './worker-descriptors.ts';
import type { WorkerDoors } from './worker-doors.ts';
import type { WorkerRole } from './worker-duties.ts';
import { openWorkerTls, type WorkerTlsParts } from './worker-tls.ts';

/** Builds the role; it is ready when this resolves. */
export async function buildGatewayWorker(doors: WorkerDoors): Promise<WorkerRole> {
  const { init, live, logger, meter, channel } = doors;
  const { slot, run, bootId, dataDir } = init;
  const journal = new JournalWriter({
    disk: systemDisk,
    path: journalPath({ dataDir, slot, run, bootId }),
    bootId,
    slot,
    run,
    timers: systemTimers,
    logger,
  });
  const { owed } = adoptJournals({ disk: systemDisk, paths: init.adoptJournals, journal, bootId, logger });
  const bus = new MeshBus({
    self: workerAddress({ node: init.nodeName, epoch: 0, slot, run }),
    kind: 'gateway',
    meshPath: init.meshPath,
    clock: systemClock,
    timers: systemTimers,
    logger,
    meter: meter.meter,
  });
  const tls = openWorkerTls(doors);
  const httpClient = buildCallbackClient(doors);
  const compression = messageCompression(doors);
  const upstream = upstreamClient(live.current);
  const descriptors = new WorkerDescriptors(doors, () => httpClient.sockets + (upstream?.inFlight ?? 0));
  const gateway = new Gateway({
    init,
    live,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger,
    meter: meter.meter,
    bus,
    journal,
    owed,
    httpClient,
    upstream,
    vitals: descriptors.vitals,
    createServer: (handlers, listener) =>
      makeServer({ doors, tls, compression, descriptors }, listener, handlers),
  });
  bus.handle(METRICS_KIND, (_from, _message, reply) => {
    // A rejection is a bug and ends the worker; the asker only sees a worker that keeps silent.
    void meter.snapshot().then((snapshot) => reply(null, Buffer.from(JSON.stringify(snapshot))));
  });
  reportLoad(gateway, channel, init.workers === 1);
  gateway.onOverload((state) => channel.send({ type: 'overload', overloaded: state !== 'normal' }));
  // Last, because sisters ask as soon as they can.
  await bus.listen();
  return {
    ...listenersOf(gateway, doors),
    peers: (peers, ended) => {
      bus.peers(peers);
      gateway.peers(peers, ended);
    },
    grant: (granted) => gateway.grant(granted),
    // For the operator's listener only.
    health: () => {},
    reload: (settings) => live.replace(settings),
    ticketKeys: (ticketKeys) => tls?.replaceTicketKeys(ticketKeys),
    watch: (keys) => gateway.watch(keys),
    epochEnded: () => gateway.epochEnded(),
    drain: (timeoutMs) => gateway.drain(timeoutMs),
    supervisorLost: () => gateway.supervisorLost(),
  };
}

function listenersOf(gateway: Gateway, { channel, logger }: WorkerDoors) {
  return returningListeners(
    { channel, timers: systemTimers, logger, canOpen },
    {
      listen: (listener, handle) => gateway.listen(ofGateway(listener), handle),
      unlisten: (listener) => gateway.unlisten(ofGateway(listener)),
    },
  );
}

/** Tells the supervisor every change soon, and what others are about to be told before they are. */
function reportLoad(gateway: Gateway, channel: WorkerDoors['channel'], alone: boolean): void {
  const reports = new LoadReports({
    timers: systemTimers,
    read: () => ({ stats: gateway.stats() }),
    send: (message) => channel.send(message),
    alone,
  });
  gateway.onStats(() => reports.changed());
  gateway.beforeTellingStats(() => reports.now());
}

function makeServer(
  worker: {
    readonly doors: WorkerDoors;
    readonly tls: WorkerTlsParts | null;
    readonly compression: MessageCompression | null;
    readonly descriptors: WorkerDescriptors;
  },
  listener: 'public' | 'app',
  handlers: HttpServerOptions['handlers'],
): HttpServer {
  const { doors, compression, descriptors } = worker;
  const { live, logger } = doors;
  const tls = tlsOf(worker.tls, listener, live.current);
  const server = new HttpServer({
    ...serverRules(live.current, listener),
    compression,
    longBodies: listener === 'public' && live.current.upstream.backends !== null,
    proxyProtocol: listener === 'public' ? proxyHeaders(doors) : null,
    tls,
    gate: descriptors.gate(listener, tls === null),
    clock: systemClock,
    timers: systemTimers,
    logger,
    handlers,
  });
  live.onChange((now) => server.adjust(serverRules(now, listener)));
  return server;
}

/** One for all listeners, because what it may spend is counted by turns; null: off. */
function messageCompression({ live, meter }: WorkerDoors): MessageCompression | null {
  if (!live.current.compression.enabled) return null;
  const made = new MessageCompression(live.current.compression, { timers: systemTimers, meter: meter.meter });
  live.onChange(({ compression }) => made.adjust(compression));
  return made;
}

/** Passes on what is not the gateway's; null: nobody does. */
function upstreamClient({ upstream }: Config): UpstreamClient | null {
  return upstream.backends === null
    ? null
    : new UpstreamClient(upstream, { clock: systemClock, timers: systemTimers, random: systemRandom });
}

/** Whose sockets begin with a header of the PROXY protocol; null: nobody's. */
function proxyHeaders({ live, meter }: WorkerDoors): ProxyProtocolRule | null {
  if (live.current.proxyProtocol !== 'required') return null;
  let trusted = new TrustedProxies(live.current.trustedProxies ?? []);
  live.onChange(({ trustedProxies }) => {
    trusted = new TrustedProxies(trustedProxies ?? []);
  });
  const refusals = meter.meter.counter({
    name: 'arrokoth_proxy_refusals_total',
    help: 'Sockets that were cut for want of a header of the PROXY protocol, by cause.',
    labels: ['cause'],
  });
  return {
    trusts: (peer) => trusted.trusts(peer),
    refused: (cause) => refusals.add(1, { cause }),
  };
}

/** How a listener speaks TLS; null: not at all. */
function tlsOf(tls: WorkerTlsParts | null, listener: 'public' | 'app', config: Config): TlsListener | null {
  if (tls === null) return null;
  if (listener === 'public') return tls.clients;
  return config.app.tls ? tls.callers : null;
}

function ofGateway(listener: ListenerName): 'public' | 'app' {
  assert(listener !== 'api', "the operator's listener belongs to the api worker");
  return listener;
}
