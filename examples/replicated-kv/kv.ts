/**
 * A replicated key-value store: three of these agree, survive any one of them, and forget nothing.
 *
 * The whole use of the library in one file: a log with a codec and a state, pages beside the log's
 * own calls on one port, an orderly end. See README.md.
 */
import { readFileSync } from 'node:fs';
import { ArrokothError, type PageAnswer, ReplicatedLog } from 'arrokoth';
import { addressOf, type KvFlags, parseFlags, USAGE } from './flags.ts';
import { KeyValues, type KvChange, kvCodec } from './key-values.ts';

const KEYS = 100;
/** Longer than a change of masters takes, shorter than callers wait. */
const READ_TIMEOUT_MS = 3_000;

function readFlags(): KvFlags {
  const words = process.argv.slice(2);
  if (words.some((word) => /^--?h(elp)?$/.test(word))) {
    console.log(USAGE);
    process.exit(0);
  }
  try {
    return parseFlags(words);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const flags = readFlags();
const values = new KeyValues();
const { cluster, participants, initMaster, mode, dataDir, host, port, heartbeatMs, electionMs } = flags;
const log = new ReplicatedLog<KvChange>({
  ...{ cluster, participants, initMaster, mode, dataDir },
  address: addressOf(flags),
  listen: { host, port },
  codec: kvCodec,
  state: values,
  pages: {
    '/kv': ({ query }) => readValues(new URLSearchParams(query).get('read')),
    '/status': (): PageAnswer => json(200, log.status()),
    '/metrics': async (): Promise<PageAnswer> => {
      return { status: 200, type: 'text/plain; version=0.0.4', body: await log.metrics() };
    },
  },
  ...(flags.secretFile === null ? {} : { secrets: secretsOf(flags.secretFile) }),
  timing: {
    ...(heartbeatMs === null ? {} : { heartbeatMs }),
    ...(electionMs === null ? {} : { electionMs }),
  },
});

log.on('becameMaster', (ballot) => console.log(`master of ballot ${ballot}`));
log.on('lostMaster', (ballot) => console.log(`master no longer of ballot ${ballot}`));
log.on('stopped', (error) => {
  console.error(error.message);
  process.exit(1);
});

/** What this member has applied; `linearizable`: once that is known to be current. */
async function readValues(consistency: string | null): Promise<PageAnswer> {
  if (consistency !== null && consistency !== 'linearizable') {
    return json(400, { error: '`read` is `linearizable` or left out' });
  }
  try {
    if (consistency === 'linearizable') await log.read({ timeoutMs: READ_TIMEOUT_MS });
    return json(200, values);
  } catch (error) {
    if (!(error instanceof ArrokothError)) throw error;
    return json(503, { code: error.code, error: error.message });
  }
}

function json(status: number, body: unknown): PageAnswer {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

/** A secret a line; empty lines are none. */
function secretsOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** What the program that the protocol comes from does to show that it is alive. */
async function submitSomething(): Promise<void> {
  const key = `k${Math.floor(Math.random() * KEYS)}`;
  try {
    await log.submit([{ type: 'add', key, value: String(Math.floor(Math.random() * 1e9)) }]);
  } catch (error) {
    console.error((error as Error).message);
  }
}

async function end(): Promise<void> {
  await log.close();
  process.exit(0);
}

// A secret is changed by its file and this signal, one node after the other.
process.on('SIGHUP', () => {
  if (flags.secretFile === null) return;
  try {
    log.replaceSecrets(secretsOf(flags.secretFile));
    console.log('the secrets were read again');
  } catch (error) {
    console.error((error as Error).message);
  }
});
process.once('SIGTERM', () => void end());
process.once('SIGINT', () => void end());
try {
  await log.start();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
console.log(`${addressOf(flags)} serves ${cluster}; GET /kv, /status, /metrics`);
setInterval(() => void submitSomething(), Math.min(flags.intervalSeconds * 1_000, 2 ** 31 - 1));
