/**
 * `arrokoth log ...`: the verbs that look after the replicated log of a node, and their options.
 *
 * Only reading happens here; each verb has a file of its own.
 */
import type { Command } from 'commander';
import type { CliDoors } from './cli-doors.ts';
import { logBackup } from './log-backup.ts';
import { type LogDumpOptions, logDump } from './log-dump.ts';
import type { LogPlace } from './log-place.ts';
import { type LogRestoreOptions, logRestore } from './log-restore.ts';
import { type LogVerifyOptions, logVerify } from './log-verify.ts';

const DATA = ['--data <dir>', 'the data directory of the node'] as const;

/** Adds the verbs to the program. */
export function addLogVerbs(program: Command, doors: CliDoors, ended: (exitCode: number) => void): void {
  const log = program.command('log').description('look after the replicated log of a node');
  log
    .command('verify')
    .description('read a log from its first byte to its last, and say what it is')
    .requiredOption(...DATA)
    .option('--json', 'print the summary as one line of JSON')
    .action((options: LogVerifyOptions) => ended(logVerify(options, doors)));
  log
    .command('dump')
    .description('show a log as it was written, one line of JSON a fact')
    .requiredOption(...DATA)
    .option('--changes', 'show what was submitted, in base64')
    .action((options: LogDumpOptions) => ended(logDump(options, doors)));
  log
    .command('backup')
    .description('copy a log into one file; the node may go on running')
    .argument('<file>', 'the file to write')
    .requiredOption(...DATA)
    .action((file: string, options: LogPlace) => ended(logBackup(file, options, doors)));
  log
    .command('restore')
    .description('make the first member of a new cluster out of a backup')
    .argument('<file>', 'the backup')
    .requiredOption(...DATA)
    .option('--new-cluster', 'yes, a new cluster: what is left of the old one does not belong to it')
    .option('--name <address>', 'address of the new member, if it is not that of the old one')
    .option('--members <addresses>', 'others that are to join, with empty data directories: a,b')
    .action((file: string, options: LogRestoreOptions) => ended(logRestore(file, options, doors)));
}
