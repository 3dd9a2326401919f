/**
 * A start: reads the folder, makes durable what was read, and gets it ready for writing.
 *
 * A killed process leaves records that the kernel has and the disk has not; they count as read, so
 * they are synced before anybody acts on them. A torn end is cut by beginning a new segment whose
 * header says where the old one ends and that the log is muted: both at once, or neither.
 */
import { join } from 'node:path';
import { failed, type Logger, ok, type Random, type Result } from '../../base/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { drawStorage, putIdentity } from './identity-file.ts';
import type { LogDisk, LogFile } from './log-disk.ts';
import { putFile, segmentName } from './log-folder.ts';
import { type LogProblem, toProblem } from './log-problem.ts';
import { EMPTY_LOG } from './log-state.ts';
import { type LogReading, type ReadSegment, readLog } from './read-log.ts';
import { type SegmentHeader, writeSegmentHeader } from './segment-header.ts';

/** What a start needs. */
export interface OpenLogOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly segmentBytes: number;
  /** Draws the id of a new folder. */
  readonly random: Random;
  readonly logger: Logger;
}

/** A log that can be written to. */
export interface OpenedLog {
  readonly reading: LogReading;
  /** The last segment. */
  readonly file: LogFile;
}

/** Opens the log of a folder, or makes one. */
export function openLog(options: OpenLogOptions): Result<OpenedLog, LogProblem> {
  const { disk, folder } = options;
  try {
    disk.makeFolder(folder);
    const read = readLog({ disk, folder });
    if (!read.ok) return read;
    const reading = read.value === null ? create(options) : settle(options, read.value);
    const last = reading.segments.at(-1) as ReadSegment;
    const file = disk.open(join(folder, segmentName(last.number)), { create: false });
    file.syncNow();
    disk.syncFolder(folder);
    for (const name of reading.leftovers) disk.remove(join(folder, name));
    return ok({ reading, file });
  } catch (error) {
    return failed(toProblem(error, folder));
  }
}

/** The first segment, and then the identity: a folder that has one has lost its log if it has no other. */
function create(options: OpenLogOptions): LogReading {
  const { disk, folder, random, segmentBytes } = options;
  const storage = drawStorage(random);
  const header = { storage, sizeBytes: segmentBytes, previous: null, state: EMPTY_LOG };
  const segment = putSegment(options, 1, header);
  putIdentity(disk, folder, storage);
  return {
    storage,
    hasIdentity: true,
    state: EMPTY_LOG,
    entries: [],
    snapshot: null,
    segments: [segment],
    cut: null,
    bytesSinceSnapshot: 0,
    leftovers: [],
  };
}

/** Finishes what an earlier start began, and cuts what a crash left incomplete. */
function settle(options: OpenLogOptions, reading: LogReading): LogReading {
  const { disk, folder, logger, segmentBytes } = options;
  if (!reading.hasIdentity) putIdentity(disk, folder, reading.storage);
  if (reading.cut === null) return reading;
  const fields = { code: 'LOG_CUT', ...reading.cut };
  logger.warn(
    fields,
    'the end of the log is incomplete and is cut; this node does not vote until it is back',
  );
  const last = reading.segments.at(-1) as ReadSegment;
  syncFile(disk, join(folder, segmentName(last.number)));
  const state = { ...reading.state, muted: true };
  const previous = { number: last.number, endBytes: last.endBytes, cut: true };
  const { storage } = reading;
  const segment = putSegment(options, last.number + 1, { storage, sizeBytes: segmentBytes, previous, state });
  return { ...reading, state, segments: [...reading.segments, segment] };
}

/** A whole segment without records, durable under its name. */
function putSegment({ disk, folder }: OpenLogOptions, number: number, header: SegmentHeader): ReadSegment {
  const writer = new ByteWriter();
  writeSegmentHeader(writer, number, header);
  const endBytes = writer.length;
  const zeros = new Uint8Array(Math.max(0, header.sizeBytes - endBytes));
  putFile(disk, folder, segmentName(number), [writer.written(), zeros]);
  return { number, endBytes, maxIndex: 0 };
}

function syncFile(disk: LogDisk, path: string): void {
  const file = disk.open(path, { create: false });
  try {
    file.syncNow();
  } finally {
    file.close();
  }
}
