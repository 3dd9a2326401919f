/**
 * The log of a node as its supervisor runs it: on this host's disk, clock and sockets.
 *
 * A node by itself keeps its log beside, in `alone/`, with no port and itself as the only voter: what
 * it agreed on with nobody is no beginning of a cluster. A node of a cluster keeps it in `log/`.
 */
import { join } from 'node:path';
import { type Logger, MEMBER_LIMITS, type Meter } from '../base/index.ts';
import { type ClusterChange, clusterCodec } from '../cluster/index.ts';
import type { ClusterConfig, Config } from '../config/index.ts';
import { REPLICA_DEFAULTS, Replica, type ReplicaSettings } from '../consensus/index.ts';
import { LogJournal, logFolder, systemLogDisk } from '../journal/index.ts';
import { type LogDoors, ReplicatedLog } from '../store/index.ts';
import { addressOf, type ClusterDoors, type LogOrder } from '../supervisor/index.ts';
import { systemClock, systemRandom, systemTimers } from '../system/index.ts';
import { createMeter } from '../telemetry/index.ts';
import { type OpenClusterPort, openClusterPort } from './cluster-port.ts';
import { readVersion } from './version.ts';

/** What the log of a node is made of. */
export interface NodeLogOptions {
  readonly config: Config;
  readonly nodeName: string;
  readonly dataDir: string;
  readonly drawBoot: () => string;
  readonly logger: Logger;
}

/** Of a log that nobody else has a part in. */
const ALONE = 'alone';

/** The doors of the supervisor to its log and to other nodes. */
export function openNodeLog(
  options: NodeLogOptions,
): Pick<ClusterDoors, 'facts' | 'drawBoot' | 'createLog' | 'openPort'> {
  const { config, nodeName, drawBoot, logger } = options;
  const { cluster } = config;
  const heard = cluster === null ? withoutNews(logger) : logger;
  const tools = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: heard };
  let port: OpenClusterPort | null = null;
  const folder = cluster === null ? join(options.dataDir, ALONE) : logFolder(options.dataDir);
  const doors: Omit<LogDoors, 'meter'> = {
    ...tools,
    openJournal: () => {
      const limits = cluster === null ? { segmentBytes: MEMBER_LIMITS.loneSegmentBytes } : {};
      return LogJournal.open({ disk: systemLogDisk, folder, random: systemRandom, logger: heard, limits });
    },
    createReplica: (facts) => {
      const startMs = systemClock.monotonicMs();
      return new Replica({
        ...facts,
        settings: settingsOf(cluster),
        random: () => systemRandom.fraction(),
        startMs,
      });
    },
    found: (facts) => Replica.found(facts),
    openPeers: (identity, events) => (port === null ? NOBODY : port.openPeers(identity, events)),
  };
  return {
    drawBoot,
    facts: {
      version: readVersion(),
      workers: config.workers,
      meshPorts: [],
      externalSignalingUrl: cluster?.externalSignalingUrl ?? '',
      externalApiUrl: cluster?.externalApiUrl ?? '',
      maxConnections: config.limits.connectionsMax,
      maxNodes: cluster?.maxNodes ?? 1,
    },
    createLog: ({ state, founding }: LogOrder) => {
      const log = {
        cluster: cluster?.id ?? ALONE,
        address: addressOf(nodeName, cluster?.listen.port ?? null),
        dataDir: options.dataDir,
        codec: clusterCodec,
        state,
        // The listed nodes were asked just now, and a lone node has nobody to listen to.
        foundingPauseMs: 0,
        ...(founding === null ? {} : { initMaster: true, participants: founding }),
      };
      return new ReplicatedLog<ClusterChange>(log, { ...doors, meter: newMeter() });
    },
    openPort: async () => {
      if (cluster === null) throw new Error('a node by itself has no port for others');
      port = await openClusterPort({ ...tools, cluster, meter: newMeter() });
      return port;
    },
  };
}

/** That a node by itself elected itself is no news; what goes wrong is. */
function withoutNews(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.debug(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => withoutNews(logger.child(fields)),
    debugEnabled: logger.debugEnabled,
  };
}

/** One for each log: figures are made once, and a log that is exchanged for another one makes its own. */
function newMeter(): Meter {
  return createMeter({ worker: 'supervisor', processFigures: false }).meter;
}

/** The peers of a node that has none. */
const NOBODY: ReturnType<LogDoors['openPeers']> = Promise.resolve({
  transport: {
    send: () => {},
    callForeign: (_to, _call, done) => done({ type: 'failed', detail: 'this node has no port' }),
    ask: (_to, _request, done) => {
      done({ type: 'refused', retry: true, master: null, detail: 'this node has no port' });
    },
    close: () => {},
  },
  close: () => Promise.resolve(),
});

function settingsOf(cluster: ClusterConfig | null): ReplicaSettings {
  if (cluster === null) return REPLICA_DEFAULTS;
  const { heartbeatMs, electionMinMs, electionMaxMs } = cluster;
  return {
    ...REPLICA_DEFAULTS,
    heartbeatMs,
    electionMinMs,
    electionMaxMs,
    votersMax: MEMBER_LIMITS.votersMax,
  };
}
