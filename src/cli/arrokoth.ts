/**
 * `arrokoth`: the verbs and their options, read by commander.
 *
 * Only reading happens here; each verb has a file of its own.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { DEFAULTS } from '../base/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { configCheck } from './config-check.ts';
import { type DemoOptions, demo } from './demo.ts';
import { addLogVerbs } from './log-verbs.ts';
import { type ReloadOptions, reload } from './reload.ts';
import { start } from './start.ts';
import { readWatchTime, type WatchOptions, watch } from './watch.ts';

/** Commander's names for ends that are no mistakes. */
const WANTED_ENDS = ['commander.helpDisplayed', 'commander.help', 'commander.version'];

/** Runs the program with the words behind its name; resolves with the exit code. */
export async function runArrokoth(words: readonly string[], doors: CliDoors): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = makeProgram(doors, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return WANTED_ENDS.includes(error.code) && error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

function makeProgram(doors: CliDoors, ended: (exitCode: number) => void): Command {
  const program = new Command('arrokoth')
    .description('Holds the WebSockets, so that a plain HTTP application never has to.')
    .version(doors.version, '-v, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: doors.stdout, writeErr: doors.stderr })
    .showHelpAfterError('(--help shows what there is)');
  program
    .command('start')
    .description('run a node until it is told to stop')
    .requiredOption('-c, --config <file>', 'the configuration file')
    .action(async ({ config }: { config: string }) => ended(await start(config, doors)));
  program
    .command('reload')
    .description('have a running node read its configuration again')
    .option('-c, --config <file>', 'the configuration file that the node was started with')
    .option('--data-dir <dir>', 'the data directory of the node, instead of its file')
    .option('--json', 'print the report as one line of JSON')
    .action(async (options: ReloadOptions) => ended(await reload(options, doors)));
  program
    .command('watch')
    .description('have a running node log each step of one session for a while')
    .argument('<key>', 'the session key')
    .option('--for <time>', 'how long: 30s, 10m, 1h at most', readTime, 600_000)
    .option('--stop', 'watch it no longer')
    .option('-c, --config <file>', 'the configuration file that the node was started with')
    .option('--data-dir <dir>', 'the data directory of the node, instead of its file')
    .action(async (key: string, options: WatchOptions) => ended(await watch(key, options, doors)));
  program
    .command('config')
    .description('look after configuration files')
    .command('check')
    .description('say everything that is wrong with a file, or what it would do')
    .argument('<file>', 'the configuration file')
    .action((file: string) => ended(configCheck(file, doors)));
  addLogVerbs(program, doors, ended);
  program
    .command('demo')
    .description('run a node with the example chat application, on loopback')
    .option('--port <port>', 'port for clients', readPort, DEFAULTS.port)
    .option('--api-port <port>', "port of the operator's listener", readPort, 3_000)
    .option('--app-port <port>', 'port of the example application', readPort, 12_346)
    .action(async (options: DemoOptions) => ended(await demo(options, doors)));
  return program;
}

function readTime(word: string): number {
  const ms = readWatchTime(word);
  if (ms === null) throw new InvalidArgumentError('A time is a number and s, m or h, up to 1h.');
  return ms;
}

function readPort(word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
