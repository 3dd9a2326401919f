/**
 * The port of a node's supervisor for the supervisors of other nodes: the log's calls, and a few more.
 *
 * Opened once, for as long as the node lives: logs come and go on it, because a node that is to found
 * a cluster begins its log anew.
 */
import {
  ArrokothError,
  type Clock,
  type Logger,
  type Meter,
  type Random,
  type Timers,
} from '../base/index.ts';
import type { ClusterConfig } from '../config/index.ts';
import { ClusterPeers, checkExposure, PeerListener } from '../peer/index.ts';
import { bindTcp } from '../process/index.ts';
import type { LogDoors } from '../store/index.ts';
import type { ClusterPort } from '../supervisor/index.ts';

/** A port, and the way for logs to use it. */
export interface OpenClusterPort extends ClusterPort {
  readonly openPeers: LogDoors['openPeers'];
}

/** What a port is opened with. */
export interface ClusterPortOptions {
  readonly cluster: ClusterConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Listens before it resolves; rejects with what stands in the way. */
export async function openClusterPort(options: ClusterPortOptions): Promise<OpenClusterPort> {
  const { cluster, clock, timers, random, logger, meter } = options;
  const { listen, secrets } = cluster;
  const allowed = checkExposure({
    host: listen.host,
    hasSecrets: secrets.length > 0,
    requiresCertificates: false,
  });
  if (!allowed.ok) throw allowed.error;
  const tools = { clock, timers, logger };
  const listener = new PeerListener({ ...tools, random, meter, secrets });
  const bound = await bindTcp(listen);
  if (!bound.ok) {
    await listener.close(0);
    throw bound.error;
  }
  listener.listen(bound.value.handle);
  logger.info({ listener: 'cluster', address: bound.value.address }, 'listening');
  return {
    call: (call) => listener.calls.call(call),
    serve: (path, handler) => listener.serve(path, handler),
    close: async () => {
      await listener.close();
      bound.value.close();
    },
    openPeers: async (identity, events) => {
      const { server } = listener;
      const peers = ClusterPeers.open({ identity, server, events, ...tools, tls: null });
      if (!peers.ok) throw new ArrokothError('LOG_OPTIONS_INVALID', peers.error);
      return { transport: peers.value, close: async () => peers.value.close() };
    },
  };
}
