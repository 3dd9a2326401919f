/** What a node keeps on disk: the session journals, and the data directory they lie in. */
export { type Adoption, type AdoptOptions, adoptJournals } from './adopt.ts';
export {
  assignJournals,
  chooseDataDirectory,
  type DataDirectory,
  type DataDirectoryChoice,
  type JournalPlace,
  journalPath,
  openDataDirectory,
} from './data-directory.ts';
export { type AppendFile, type JournalDisk, systemDisk } from './journal-disk.ts';
export { JournalWriter, type JournalWriterOptions } from './journal-writer.ts';
export type {
  ConnectionEnd,
  OpenedConnection,
  OwedClose,
  SessionJournal,
  Written,
} from './session-journal.ts';
