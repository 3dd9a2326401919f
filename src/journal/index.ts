/** What a node keeps on disk: the log, the session journals, and the data directory they lie in. */
export {
  assignJournals,
  chooseDataDirectory,
  type DataDirectory,
  type DataDirectoryChoice,
  type JournalPlace,
  journalPath,
  openDataDirectory,
} from './data-directory.ts';
export { type BackupMade, backupLog } from './log/backup-log.ts';
export { dumpLog } from './log/dump-log.ts';
export type { LogDisk, LogFile } from './log/log-disk.ts';
export { logFolder } from './log/log-folder.ts';
export {
  LogJournal,
  type LogJournalLimits,
  type LogJournalOptions,
  type OpenedJournal,
} from './log/log-journal.ts';
export { type Restoration, restoreLog } from './log/restore-log.ts';
export { systemLogDisk } from './log/system-log-disk.ts';
export { type LogSummary, verifyLog } from './log/verify-log.ts';
export { type Adoption, type AdoptOptions, adoptJournals } from './sessions/adopt.ts';
export { type AppendFile, type JournalDisk, systemDisk } from './sessions/journal-disk.ts';
export { JournalWriter, type JournalWriterOptions } from './sessions/journal-writer.ts';
export type {
  ConnectionEnd,
  OpenedConnection,
  OwedClose,
  SessionJournal,
  Written,
} from './sessions/session-journal.ts';
