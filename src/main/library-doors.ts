/**
 * The world of a replicated log that an application runs in its own process.
 *
 * Joins the adapters: the journal on this host's disk, the peer port on its sockets, the clock, the
 * log lines, the figures. No decision is made here but the defaults of an application's options.
 */
import { ArrokothError, type Logger } from '../base/index.ts';
import { REPLICA_DEFAULTS, Replica, type ReplicaSettings } from '../consensus/index.ts';
import { LogJournal, logFolder, systemLogDisk } from '../journal/index.ts';
import type { LogDoors, LogOptions } from '../store/index.ts';
import { systemClock, systemRandom, systemTimers } from '../system/index.ts';
import { createLogger, createMeter, type LogSeverity, renderSnapshots } from '../telemetry/index.ts';
import { type LogTls, type OpenPeerPort, openPeerPort, type PageHandler } from './peer-port.ts';

export type { LogTls, PageAnswer, PageHandler, PageRequest } from './peer-port.ts';

/** How quickly a cluster notices that its master is gone. */
export interface LogTiming {
  /** How often a master is heard of at least; absent: 100 ms. */
  readonly heartbeatMs?: number;
  /** A follower that hears nothing for this long, up to half as long again, asks for votes; absent: 1 s. */
  readonly electionMs?: number;
}

/** A node of a log on this host. */
export interface LibraryOptions<Change> extends LogOptions<Change> {
  /** Where peers and callers are listened to. Beyond loopback only with `secrets`, or with `tls.ca`. */
  readonly listen: { readonly host: string; readonly port: number };
  /** What the members have in common; the first one signs, all are believed. Absent: nothing is signed. */
  readonly secrets?: readonly string[];
  /** Absent: plain HTTP. */
  readonly tls?: LogTls;
  /** Answers GET on further paths of the same port, to whoever asks. */
  readonly pages?: Readonly<Record<string, PageHandler>>;
  readonly timing?: LogTiming;
  /** Where log lines go; absent: to stderr, one JSON object a line. */
  readonly logger?: Logger;
  /** The least that is written to stderr; absent: `info`. */
  readonly logLevel?: LogSeverity;
}

/** The doors of one node, and the way to read its figures. */
export interface LibraryDoors {
  readonly doors: LogDoors;
  readonly metrics: () => Promise<string>;
  readonly replaceSecrets: (secrets: readonly string[]) => void;
}

/** Gives a node its world. Nothing is opened before the node asks. */
export function openLibraryDoors<Change>(options: LibraryOptions<Change>): LibraryDoors {
  const { address, cluster, dataDir, logLevel: level = 'info' } = options;
  const logger =
    options.logger ??
    createLogger({ level, base: { log: cluster, node: address }, showSecrets: false }).logger;
  const { meter, snapshot } = createMeter({ worker: 'log', processFigures: false });
  const tools = { clock: systemClock, timers: systemTimers, random: systemRandom, logger, meter };
  const settings = settingsOf(options.timing);
  let port: OpenPeerPort | null = null;
  let secrets: readonly string[] | null = null;
  const doors: LogDoors = {
    ...tools,
    openJournal: () => {
      return LogJournal.open({
        disk: systemLogDisk,
        folder: logFolder(dataDir),
        random: systemRandom,
        logger,
      });
    },
    createReplica: (facts) => {
      const startMs = systemClock.monotonicMs();
      return new Replica({ ...facts, settings, random: () => systemRandom.fraction(), startMs });
    },
    found: (facts) => Replica.found(facts),
    openPeers: async (identity, events) => {
      port = await openPeerPort({ ...tools, ...options, ...(secrets && { secrets }), identity, events });
      return port;
    },
  };
  return {
    doors,
    metrics: async () => renderSnapshots([await snapshot()]),
    replaceSecrets: (wanted) => {
      port?.replaceSecrets(wanted);
      // Before the start they are only kept.
      secrets = wanted;
    },
  };
}

const ELECTION_SPREAD = 1.5;

function settingsOf(timing: LogTiming = {}): ReplicaSettings {
  const { heartbeatMs = REPLICA_DEFAULTS.heartbeatMs, electionMs = REPLICA_DEFAULTS.electionMinMs } = timing;
  if (!(heartbeatMs > 0 && electionMs >= 2 * heartbeatMs)) {
    throw new ArrokothError('LOG_OPTIONS_INVALID', '`timing.electionMs` is at least twice `heartbeatMs`.');
  }
  // Wide enough that two followers seldom ask at once, and no wider: all of it is time without a master.
  const electionMaxMs = ELECTION_SPREAD * electionMs;
  return { ...REPLICA_DEFAULTS, heartbeatMs, electionMinMs: electionMs, electionMaxMs };
}
