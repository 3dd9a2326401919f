/**
 * The rows of the table of errors that the replicated log adds (`errors.ts` has the table).
 *
 * Thrown by the library and by `arrokoth log`; inside the log, expected outcomes are values.
 */
import type { ErrorKind } from './error-kind.ts';

/** What users of the replicated log can meet. */
export const logErrors = {
  LOG_OPTIONS_INVALID: {
    retryable: false,
    meaning: 'An option of the replicated log is missing or wrong.',
    action: 'Correct the option that the message names.',
  },
  LOG_INSECURE: {
    retryable: false,
    meaning: 'The replicated log was to listen beyond this host without a secret and without TLS.',
    action: 'Give all members a common secret, or TLS with client certificates, or listen on loopback.',
  },
  LOG_DAMAGED: {
    retryable: false,
    meaning: 'The log on disk holds something that was not written so, or lacks a part.',
    action:
      'Nothing was changed. Set the data directory aside and start the node with an empty one: it is ' +
      'brought back by the others. If a majority is in this state, restore a backup.',
  },
  LOG_VERSION: {
    retryable: false,
    meaning: 'The log on disk was written by a newer release.',
    action: 'Nothing was changed. Start the release that wrote it, or a newer one.',
  },
  LOG_CUT: {
    retryable: false,
    meaning: 'The last record of the log was incomplete, as a crash leaves it, and was cut.',
    action: 'Nothing has to be done: the node does not vote until the master has brought it back.',
  },
  LOG_BACKUP_UNUSABLE: {
    retryable: false,
    meaning: 'A file is not a whole backup of a log.',
    action: 'Use another one; `arrokoth log backup FILE` makes one of any node whose log can be read.',
  },
  LOG_FOLDER_TAKEN: {
    retryable: false,
    meaning: 'A backup is restored only into a directory that is empty or not there yet.',
    action: 'Name another directory, or set aside what is in this one.',
  },
  LOG_DISK_FAILED: {
    httpStatus: 503,
    retryable: false,
    meaning: 'The disk of the replicated log failed, so this node may promise nothing any more.',
    action: 'Look at the disk and the log lines of the host, then start the node again.',
  },
  LOG_DISK_FULL: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The disk of the replicated log is full, so this node takes part in nothing.',
    action: 'Make room; the node goes on by itself.',
  },
  LOG_STATE_FAILED: {
    retryable: false,
    meaning: 'The state of the application could not take over a snapshot or a committed change.',
    action: 'Correct the application; what is committed cannot be left out.',
  },
  LOG_CONTRADICTED: {
    retryable: false,
    meaning: 'A member sent what cannot be true beside what is committed here; it was refused.',
    action:
      'Look which of the two is wrong: a data directory that was copied or brought back from an old ' +
      'copy, or a program that is no member. Stop it, and start it with an empty directory.',
  },
  LOG_KIND_UNKNOWN: {
    httpStatus: 409,
    retryable: false,
    meaning: 'A change is of a kind or version that a member does not know.',
    action: 'Bring all members to the release that knows it.',
  },
  LOG_TOO_LARGE: {
    httpStatus: 413,
    retryable: false,
    meaning: 'One submission is larger than an entry of the log may be.',
    action: 'Submit less at once.',
  },
  LOG_BUSY: {
    httpStatus: 503,
    retryable: true,
    meaning: 'More submissions or reads wait than the replicated log keeps waiting.',
    action: 'Submit again later, or fewer at a time.',
  },
  LOG_TIMEOUT: {
    httpStatus: 504,
    retryable: true,
    meaning: 'A submission was not confirmed in time; it may still come to be committed.',
    action: 'Submit it again with the same request id: it is applied once.',
  },
  LOG_NOT_CONFIRMED: {
    httpStatus: 503,
    retryable: true,
    meaning: 'No majority confirmed in time that this read would be current.',
    action: 'Ask again; if it lasts, look which members are reachable.',
  },
  LOG_NOT_MASTER: {
    httpStatus: 409,
    retryable: true,
    meaning: 'Only the master can do this, and this node is not it.',
    action: 'Ask the master; `status` names it.',
  },
  LOG_MEMBERS: {
    httpStatus: 409,
    retryable: false,
    meaning: 'The membership cannot be changed like this.',
    action: 'Look at the members; the message says what stands in the way.',
  },
  LOG_CLOSED: {
    httpStatus: 503,
    retryable: false,
    meaning: 'This node of the replicated log has stopped.',
    action: 'Ask another member; if it was not closed on purpose, its log says why.',
  },
} as const satisfies Record<string, ErrorKind>;
