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
export type { LogDisk, LogFile } from './log/log-disk.ts';
export {
  LogJournal,
  type LogJournalLimits,
  type LogJournalOptions,
  type OpenedJournal,
} from './log/log-journal.ts';
export { systemLogDisk } from './log/system-log-disk.ts';
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
