/**
 * The file that says whose log a folder holds: one line of text, written once.
 *
 * The name that follows the version is the storage id of `consensus/`: a voter is its address and
 * this id, so that an emptied folder does not vote in the name of the one that promised something.
 */
import { crc32 } from 'node:zlib';
import type { Random } from '../../base/index.ts';
import type { LogDisk } from './log-disk.ts';
import { IDENTITY_NAME, putFile } from './log-folder.ts';

/** Bits enough that no two folders of the world have the same. */
const STORAGE_BYTES = 16;
const LINE = /^arrokoth-log 1 ([0-9a-f]{32}) ([0-9a-f]{8})\n$/;

/** Draws the id of a new folder. */
export function drawStorage(random: Random): string {
  return Buffer.from(random.bytes(STORAGE_BYTES)).toString('hex');
}

/** Writes the file; durable when it returns. */
export function putIdentity(disk: LogDisk, folder: string, storage: string): void {
  const line = `arrokoth-log 1 ${storage} ${checksum(storage)}\n`;
  putFile(disk, folder, IDENTITY_NAME, [Buffer.from(line, 'latin1')]);
}

/** The id in the bytes of the file, or null when they were not written so. */
export function readIdentity(bytes: Uint8Array): string | null {
  const [, storage = '', sum = ''] = LINE.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  return storage !== '' && sum === checksum(storage) ? storage : null;
}

function checksum(storage: string): string {
  return crc32(Buffer.from(storage, 'latin1')).toString(16).padStart(8, '0');
}
