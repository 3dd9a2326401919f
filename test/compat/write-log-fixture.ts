/**
 * Writes the log of this release, to be read by all later ones: run it once, before a release.
 *
 *     npx tsx test/compat/write-log-fixture.ts
 *
 * Refuses to write over what a release has made.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupLog, systemLogDisk } from '../../src/journal/index.ts';
import { describeRestored, openLog, writeLog } from './log-fixture.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const folder = join('test/compat/releases', version);
if (existsSync(folder)) throw new Error(`${folder} is there already`);
mkdirSync(folder, { recursive: true });
const storage = await writeLog(join(folder, 'log'));
const made = backupLog({
  disk: systemLogDisk,
  folder: join(folder, 'log'),
  file: join(folder, 'log.backup'),
});
if (!made.ok) throw made.error;
const { journal, restored } = openLog(join(folder, 'log'));
writeFileSync(join(folder, 'log.txt'), describeRestored(storage, restored));
journal.close(() => console.log(`${folder} is written`));
