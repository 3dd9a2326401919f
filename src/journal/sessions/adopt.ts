/**
 * Reads what earlier runs of workers left behind and takes over what they owe.
 *
 * A connection that was asked for or opened, and not closed, owes its close callback: the application
 * may have said yes to a question whose answer nobody heard. It is noted in our own
 * journal before the old file goes, so a crash at any point leaves it in one file or in both, and
 * both name the same event. Synchronous and run once, before a worker is ready.
 */
import type { ConnectionId, Logger, SessionKey } from '../../base/index.ts';
import type { JournalDisk } from './journal-disk.ts';
import type { AdoptedClose, JournalWriter } from './journal-writer.ts';
import { type JournalEnding, type JournalRecord, RecordDecoder } from './record-codec.ts';
import type { ConnectionEnd, OwedClose } from './session-journal.ts';

/** RFC 6455 7.4.1: the connection ended without a close frame, as it does when a process dies. */
const ABNORMAL_CLOSURE = 1006;
/** Suffix of a damaged file that was set aside for a person to look at. */
export const DAMAGED_SUFFIX = '.damaged';

/** What an adoption works with. */
export interface AdoptOptions {
  readonly disk: JournalDisk;
  /** Journals of runs that have ended. */
  readonly paths: readonly string[];
  /** The journal of this run. */
  readonly journal: JournalWriter;
  /** The present start of the node: its own runs were `worker_lost`, older ones `node_restarted`. */
  readonly bootId: string;
  readonly logger: Logger;
}

/** What came of it. */
export interface Adoption {
  /** Close callbacks to be sent, in the order in which their connections opened. */
  readonly owed: readonly OwedClose[];
  /** Files that could be read only in part; close callbacks may be missing. */
  readonly damaged: readonly string[];
}

/** A connection as the journals together know it. */
interface Trace {
  /** Null while it was only asked for. */
  key: SessionKey | null;
  openedAtMs: number;
  readonly lostReason: string;
  end: ConnectionEnd | null;
}

/** What all files say, one connection once. */
class Ledger {
  readonly #bootId: string;
  #traces = new Map<ConnectionId, Trace>();
  /**
   * The file that closed it. Closed in one is closed in all, because an old file may have outlived
   * its adoption; only in the same file can a connection be opened again, when the application's yes
   * came after we had given up on it.
   */
  #closed = new Map<ConnectionId, string>();

  constructor(bootId: string) {
    this.#bootId = bootId;
  }

  note(
    record: Exclude<JournalRecord, { type: 'header' }>,
    file: { readonly path: string; readonly bootId: string },
  ): void {
    const { connection } = record;
    if (record.type === 'asked' || record.type === 'opened') {
      const closedBy = this.#closed.get(connection);
      if (closedBy !== undefined && (record.type === 'asked' || closedBy !== file.path)) return;
      this.#closed.delete(connection);
      const lostReason = file.bootId === this.#bootId ? 'worker_lost' : 'node_restarted';
      const trace = this.#traces.get(connection) ?? { key: null, openedAtMs: 0, lostReason, end: null };
      this.#traces.set(connection, trace);
      if (record.type === 'asked' || trace.key !== null) return;
      trace.key = record.key;
      trace.openedAtMs = record.openedAtMs;
    } else if (record.type === 'closing') {
      const trace = this.#traces.get(connection);
      if (trace !== undefined) trace.end ??= { reason: record.reason, code: record.code };
    } else {
      this.#traces.delete(connection);
      this.#closed.set(connection, file.path);
    }
  }

  owed(): AdoptedClose[] {
    const owed: AdoptedClose[] = [];
    for (const [connection, { key, openedAtMs, lostReason, end }] of this.#traces) {
      const reason = end?.reason ?? lostReason;
      owed.push({ connection, key, openedAtMs, reason, code: end?.code ?? ABNORMAL_CLOSURE });
    }
    return owed;
  }
}

/** Takes over what the journals at `paths` owe and removes them; damaged ones are kept aside. */
export function adoptJournals(options: AdoptOptions): Adoption {
  const { disk, paths, journal, logger } = options;
  const ledger = new Ledger(options.bootId);
  const damaged: string[] = [];
  for (const path of paths) {
    const ending = readInto(ledger, path, options);
    if (ending !== 'damaged') continue;
    damaged.push(path);
    const fields = { code: 'JOURNAL_DAMAGED', file: `${path}${DAMAGED_SUFFIX}` };
    logger.error(fields, 'a session journal is damaged; close callbacks that it owed may be missing');
  }
  const owed = ledger.owed();
  journal.adopt(owed, () => {
    for (const path of paths) putAway(path, damaged.includes(path), { disk, logger });
  });
  journal.flush();
  if (paths.length > 0) {
    logger.info({ files: paths.length, owed: owed.length }, 'session journals of earlier runs are adopted');
  }
  return { owed, damaged };
}

/** Feeds one file to the ledger; everything readable counts, whatever comes after it. */
function readInto(ledger: Ledger, path: string, { disk, logger }: AdoptOptions): JournalEnding {
  const decoder = new RecordDecoder();
  let bootId: string | null = null;
  try {
    for (const chunk of disk.read(path)) {
      for (const record of decoder.push(chunk)) {
        if (record.type === 'header') bootId ??= record.bootId;
        // Without a header the file was never one of ours, whatever its records look like.
        else if (bootId === null) return 'damaged';
        else ledger.note(record, { path, bootId });
      }
    }
  } catch (error) {
    logger.error({ file: path, cause: String(error) }, 'a session journal cannot be read to its end');
    return 'damaged';
  }
  return decoder.ending();
}

function putAway(
  path: string,
  isDamaged: boolean,
  { disk, logger }: { readonly disk: JournalDisk; readonly logger: Logger },
): void {
  try {
    if (isDamaged) disk.rename(path, `${path}${DAMAGED_SUFFIX}`);
    else disk.remove(path);
  } catch (error) {
    // The next start adopts the file again; applications recognise the event ids.
    logger.error({ file: path, cause: String(error) }, 'an adopted session journal cannot be put away');
  }
}
