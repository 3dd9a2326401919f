/**
 * Log lines: pino behind our `Logger` door, one JSON object a line.
 *
 * Every process writes its own lines to the same stderr. Lines are handed over one by one without
 * waiting for the reader, and in pieces that a pipe takes whole, so that lines of several processes
 * do not run into each other and a stalled reader stops nobody; past a bound lines are lost and
 * counted. `main/` makes one logger a process and flushes it at the end.
 */
import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { LogFields, Logger } from '../base/index.ts';
import { scrubFields } from './scrub.ts';

/** One write to a pipe is atomic up to this size (PIPE_BUF of Linux). */
const WRITE_BYTES_MAX = 4_096;
/** Bytes that wait for a stalled reader of the log; later lines are lost. */
const WAITING_BYTES_MAX = 1_048_576;

/** Severities, as the configuration names them. */
export type LogSeverity = 'debug' | 'info' | 'warn' | 'error';

/** What is written; may be adjusted while lines are. */
export interface LogRules {
  readonly level: LogSeverity;
  /** True when the operator asked for headers in the log: cookies and tokens are not hidden then. */
  readonly showSecrets: boolean;
}

/** What a process's logger is made of. */
export interface LoggerOptions extends LogRules {
  /** Fields of every line: node, worker. */
  readonly base: LogFields;
  /** Where lines go; absent: stderr. */
  readonly sink?: LogSink;
}

/** Takes whole lines. */
export interface LogSink {
  write(line: string): void;
  /** Writes what waits before it returns. */
  flush(): void;
}

/** The logger of a process, and the way to empty it before the process ends. */
export interface ProcessLogger {
  readonly logger: Logger;
  /** For this logger and all that were made of it, from the next line on. */
  adjust(rules: LogRules): void;
  /** Writes what waits, synchronously. */
  flush(): void;
}

/** Makes the one logger of a process. */
export function createLogger(options: LoggerOptions): ProcessLogger {
  const gate = gateOf(options);
  const sink = options.sink ?? stderrSink((lines) => root.warn({ lines }, 'log lines were lost'));
  const root: PinoLogger = pino(
    {
      // The gate decides, because pino's loggers each keep the level that they were made with.
      level: 'debug',
      base: scrubFields(options.base, gate),
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink as DestinationStream,
  );
  return {
    logger: wrap(root, gate),
    adjust: (rules) => {
      Object.assign(gate, gateOf(rules));
    },
    flush: () => sink.flush(),
  };
}

/** The rules as each line looks at them; shared by a logger and all that were made of it. */
interface Gate {
  rank: number;
  showSecrets: boolean;
}

const RANKS: Readonly<Record<LogSeverity, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

function gateOf({ level, showSecrets }: LogRules): Gate {
  return { rank: RANKS[level], showSecrets };
}

function wrap(inner: PinoLogger, gate: Gate): Logger {
  const scrub = (fields: LogFields): LogFields => scrubFields(fields, gate);
  return {
    get debugEnabled() {
      return gate.rank === RANKS.debug;
    },
    debug: (fields, message) => {
      if (gate.rank === RANKS.debug) inner.debug(scrub(fields), message);
    },
    info: (fields, message) => {
      if (gate.rank <= RANKS.info) inner.info(scrub(fields), message);
    },
    warn: (fields, message) => {
      if (gate.rank <= RANKS.warn) inner.warn(scrub(fields), message);
    },
    error: (fields, message) => inner.error(scrub(fields), message),
    child: (fields) => wrap(inner.child(scrub(fields)), gate),
  };
}

/** `lost` is told, once lines are taken again, how many were not. */
function stderrSink(lost: (lines: number) => void): LogSink {
  const stream = destination({
    fd: 2,
    sync: false,
    minLength: 0,
    maxWrite: WRITE_BYTES_MAX,
    maxLength: WAITING_BYTES_MAX,
  });
  let dropped = 0;
  stream.on('drop', () => dropped++);
  stream.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    lost(lines);
  });
  // A log that nobody can take any more must not end the process that serves clients.
  stream.on('error', () => {});
  return {
    write: (line) => {
      stream.write(line);
    },
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        // The reader is gone or the descriptor is closed: there is nobody left to tell.
      }
    },
  };
}
