/**
 * The bytes of a backup: one row of records with checksums, that ends with an end.
 *
 * A head that says whose log it is, the records of its snapshot if there is one, groups of entries,
 * the end with their count. A file that was cut short anywhere lacks its end and is refused.
 */
import type { Entry, Snapshot, VotePromise } from '../../consensus/index.ts';
import { ByteReader, MalformedBytes } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { checkCount, checkPromise, checkText, parseObject, readItems, writeItem } from './item-codec.ts';
import { beginRecord, endRecord, type RecordKind } from './record-codec.ts';
import { readRecord } from './record-reader.ts';
import { SnapshotAssembler, snapshotRecords } from './snapshot-codec.ts';

/** What a backup holds. */
export interface LogBackup {
  /** Of the folder that it was made of. */
  readonly storage: string;
  readonly incarnation: string | null;
  readonly promise: VotePromise;
  readonly snapshot: Snapshot | null;
  /** After the snapshot, contiguous. */
  readonly entries: readonly Entry[];
}

const FILE_NUMBER = 0;
const GROUP_ENTRIES = 1_000;

/** The records of a backup, one a step; each is valid until the next. */
export function* backupRecords(backup: LogBackup): Generator<Uint8Array, void> {
  const { storage, incarnation, promise, snapshot, entries } = backup;
  const writer = new ByteWriter();
  let offset = 0;
  const record = (kind: RecordKind, write: () => void): Uint8Array => {
    writer.clear();
    const start = beginRecord(writer);
    write();
    endRecord(writer, start, kind, { fileNumber: FILE_NUMBER, offset });
    offset += writer.length;
    return writer.written();
  };
  yield record('backup', () => {
    writer.text(JSON.stringify({ storage, incarnation, promise, hasSnapshot: snapshot !== null }));
  });
  if (snapshot !== null) {
    for (const bytes of snapshotRecords(snapshot, new ByteWriter(), FILE_NUMBER, offset)) {
      offset += bytes.length;
      yield bytes;
    }
  }
  for (let from = 0; from < entries.length; from += GROUP_ENTRIES) {
    const group = entries.slice(from, from + GROUP_ENTRIES);
    yield record('group', () => writeItem(writer, { type: 'entries', entries: group }));
  }
  yield record('end', () => writer.text(JSON.stringify({ entries: entries.length })));
}

/** Reads a backup, or says where and why it is none. */
export function readBackup(
  bytes: Uint8Array,
): { readonly backup: LogBackup } | { readonly offset: number; readonly why: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const assembler = new BackupAssembler();
  let at = 0;
  for (;;) {
    const found = readRecord(buffer, at, FILE_NUMBER);
    if (found.type === 'end') return { offset: at, why: 'the file ends before the backup does' };
    if (found.type !== 'record') return { offset: at, why: `the record ${found.why}` };
    try {
      const backup = assembler.add(found.kind, found.content);
      if (backup === null) at = found.endAt;
      else if (found.endAt === buffer.length) return { backup };
      else return { offset: found.endAt, why: 'something follows the end of the backup' };
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      return { offset: at, why: `the record makes no sense to this release: ${error.message}` };
    }
  }
}

class BackupAssembler {
  #head: Omit<LogBackup, 'snapshot' | 'entries'> | null = null;
  /** While the records of the snapshot come. */
  #assembler: SnapshotAssembler | null = null;
  #snapshot: Snapshot | null = null;
  readonly #entries: Entry[] = [];

  /** The backup, when this was its end. */
  add(kind: RecordKind, content: Uint8Array): LogBackup | null {
    if (this.#head === null) this.#begin(kind, content);
    else if (this.#assembler !== null) {
      this.#snapshot = this.#assembler.add(kind, content);
      if (this.#snapshot !== null) this.#assembler = null;
    } else if (kind === 'group') this.#append(content);
    else if (kind !== 'end') throw new MalformedBytes(`a backup holds a record "${kind}"`);
    else {
      const count = checkCount(parseObject(new ByteReader(content).text()).entries, 'entries');
      if (count !== this.#entries.length) throw new MalformedBytes('a backup lacks entries');
      return { ...this.#head, snapshot: this.#snapshot, entries: this.#entries };
    }
    return null;
  }

  #begin(kind: RecordKind, content: Uint8Array): void {
    if (kind !== 'backup') throw new MalformedBytes(`a backup begins with a record "${kind}"`);
    const { storage, incarnation, promise, hasSnapshot } = parseObject(new ByteReader(content).text());
    this.#head = {
      storage: checkText(storage, 'storage'),
      incarnation: incarnation === null ? null : checkText(incarnation, 'incarnation'),
      promise: checkPromise(promise),
    };
    if (hasSnapshot === true) this.#assembler = new SnapshotAssembler();
  }

  #append(content: Uint8Array): void {
    for (const item of readItems(new ByteReader(content))) {
      if (item.type !== 'entries') throw new MalformedBytes('a backup holds more than entries');
      for (const entry of item.entries) {
        const last = this.#entries.at(-1)?.index ?? this.#snapshot?.index ?? 0;
        if (entry.index !== last + 1) throw new MalformedBytes(`entry ${entry.index} follows ${last}`);
        this.#entries.push(entry);
      }
    }
  }
}
