/**
 * `ekbo`: the command line that kuiperbelt's users know, running this program's node.
 *
 * The same flags in the same syntax; `docs/guides` lists the differences. Not a second product:
 * the flags become a configuration and the rest is `start`.
 */
import { failed, ok, type Result } from '../base/index.ts';
import { type LoadedConfig, type LogLevel, withKeys } from '../config/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { type GoFlag, goUsage, parseGoFlags } from './go-flags.ts';
import { loadConfig } from './load-config.ts';
import { runNode } from './start.ts';

const PORT_MAX = 65_535;

const FLAGS: readonly GoFlag[] = [
  { name: 'config', type: 'text', help: 'path of the configuration file', fallback: 'config.yml' },
  { name: 'log-level', type: 'text', help: 'debug, info, warn or error', fallback: 'info' },
  { name: 'port', type: 'text', help: 'port to listen on, instead of the one in the file' },
  { name: 'sock', type: 'text', help: 'unix socket to listen on, instead of the one in the file' },
  { name: 'gops-addr', type: 'text', help: 'accepted for compatibility, has no effect' },
  { name: 'version', type: 'switch', help: 'print the version and exit' },
];

type Flags = Readonly<Record<string, string>>;

/** Runs the program with the words behind its name; resolves with the exit code. */
export async function runEkbo(words: readonly string[], doors: CliDoors): Promise<number> {
  const outcome = parseGoFlags(FLAGS, words);
  if (outcome.type !== 'parsed') {
    if (outcome.type === 'invalid') doors.stderr(`${outcome.message}\n`);
    doors.stderr(goUsage('ekbo', FLAGS));
    return outcome.type === 'help' ? EXIT.ok : EXIT.usage;
  }
  const { values, given } = outcome;
  if (values.version === 'true') {
    doors.stdout(`ekbo version: ${doors.version}\n`);
    return EXIT.ok;
  }
  if (values.port && values.sock) return fatal('-port and -sock exclude each other', doors);
  const load = (path: string): Result<LoadedConfig, readonly string[]> => {
    const loaded = loadConfig(path, doors);
    return loaded.ok ? applyFlags(loaded.value, values, given) : loaded;
  };
  const path = values.config ?? '';
  const loaded = load(path);
  if (!loaded.ok) return fatal(loaded.error.join('\n'), doors);
  const file = doors.absolutePath(path);
  return await runNode({ ...loaded.value, file, reread: () => load(file) }, doors);
}

function applyFlags(
  { keys, config, warnings }: LoadedConfig,
  flags: Flags,
  given: ReadonlySet<string>,
): Result<LoadedConfig, readonly string[]> {
  const doubts = [...warnings];
  const changes: Record<string, string> = {};
  if (flags.port) {
    const port = /^\d{1,5}$/.test(flags.port) ? Number(flags.port) : Number.NaN;
    if (!(port <= PORT_MAX)) return failed([`-port takes a number from 0 to ${PORT_MAX}, not ${flags.port}`]);
    changes.port = flags.port;
    if (config.sock !== null) doubts.push('`sock` in the file wins over -port.');
  }
  if (flags.sock) changes.sock = flags.sock;
  if (given.has('log-level')) {
    const level = readLevel(flags['log-level'] ?? '');
    if (level === null) doubts.push(`-log-level ${flags['log-level']} is unknown and taken for debug.`);
    changes['log.level'] = level ?? 'debug';
  }
  if (given.has('gops-addr')) doubts.push('-gops-addr has no effect: figures are at `api.listen`.');
  const changed = withKeys(keys, changes);
  return changed.ok ? ok({ ...changed.value, warnings: doubts }) : changed;
}

function readLevel(word: string): LogLevel | null {
  return word === 'debug' || word === 'info' || word === 'warn' || word === 'error' ? word : null;
}

function fatal(words: string, doors: CliDoors): number {
  doors.stderr(`FATAL: ${words.trimEnd()}\n`);
  return EXIT.failed;
}
