/**
 * A snapshot as a row of records: its head, the request ids, the state in pieces, an end.
 *
 * Made and read in pieces of a megabyte, so that a state of any size needs no second copy at once
 * and the event loop gets its turns between them. The end says how much there was, because a row
 * that merely stops must not pass for a whole one. A backup holds the same row.
 */
import type { Configuration, Snapshot } from '../../consensus/index.ts';
import { ByteReader, MalformedBytes } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { checkConfiguration, checkCount, parseObject } from './item-codec.ts';
import { beginRecord, endRecord, type RecordKind, type RecordPlace } from './record-codec.ts';

/** State bytes, or characters of request ids, in one record. */
const PIECE_BYTES = 1_024 * 1_024;

/** The records of a snapshot, one a step: each `next` writes the next one to `writer`. */
export function* snapshotRecords(
  snapshot: Snapshot,
  writer: ByteWriter,
  fileNumber: number,
  startAt = 0,
): Generator<Uint8Array, void> {
  const { index, ballot, configuration, requests, state } = snapshot;
  const place = { fileNumber, offset: startAt };
  yield record(writer, 'snapshot', place, () => {
    const facts = { index, ballot, configuration, requests: requests.length, stateBytes: state.length };
    writer.text(JSON.stringify(facts));
  });
  for (let from = 0; from < requests.length; ) {
    yield record(writer, 'requests', place, () => {
      from = writeRequests(writer, requests, from);
    });
  }
  for (let from = 0; from < state.length; from += PIECE_BYTES) {
    yield record(writer, 'state', place, () => writer.raw(state.subarray(from, from + PIECE_BYTES)));
  }
  yield record(writer, 'end', place, () => writer.text('{}'));
}

/** What the first record says. */
interface SnapshotHead {
  readonly index: number;
  readonly ballot: number;
  readonly configuration: Configuration;
  /** How many, and how many bytes of state, in the records that follow. */
  readonly requests: number;
  readonly stateBytes: number;
}

/** Takes the records of a snapshot and gives back what they hold. */
export class SnapshotAssembler {
  #head: SnapshotHead | null = null;
  #requests: (readonly [string, number])[] = [];
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** The snapshot, when this record was its end; else null. Throws `MalformedBytes`. */
  add(kind: RecordKind, content: Uint8Array): Snapshot | null {
    if (this.#head === null) {
      if (kind !== 'snapshot') throw new MalformedBytes(`a snapshot begins with a record "${kind}"`);
      this.#head = readHead(content);
    } else if (kind === 'requests') {
      const reader = new ByteReader(content);
      while (!reader.atEnd) this.#requests.push([reader.text(), reader.u53()]);
    } else if (kind === 'state') {
      this.#pieces.push(content);
      this.#bytes += content.length;
    } else if (kind === 'end') {
      return this.#finish(this.#head);
    } else throw new MalformedBytes(`a snapshot holds a record "${kind}"`);
    return null;
  }

  #finish(head: SnapshotHead): Snapshot {
    if (this.#requests.length !== head.requests || this.#bytes !== head.stateBytes) {
      throw new MalformedBytes('a snapshot lacks a part');
    }
    const state = new Uint8Array(this.#bytes);
    let at = 0;
    for (const piece of this.#pieces) {
      state.set(piece, at);
      at += piece.length;
    }
    const { index, ballot, configuration } = head;
    return { index, ballot, configuration, requests: this.#requests, state };
  }
}

function record(
  writer: ByteWriter,
  kind: RecordKind,
  place: { fileNumber: number; offset: number },
  write: () => void,
): Uint8Array {
  writer.clear();
  const start = beginRecord(writer);
  write();
  endRecord(writer, start, kind, place satisfies RecordPlace);
  place.offset += writer.length;
  return writer.written();
}

/** As many as fit a piece; says which one comes next. */
function writeRequests(writer: ByteWriter, requests: Snapshot['requests'], from: number): number {
  let next = from;
  while (next < requests.length && writer.length < PIECE_BYTES) {
    const [requestId, index] = requests[next] as readonly [string, number];
    writer.text(requestId);
    writer.u53(index);
    next++;
  }
  return next;
}

function readHead(content: Uint8Array): SnapshotHead {
  const facts = parseObject(new ByteReader(content).text());
  return {
    index: checkCount(facts.index, 'index'),
    ballot: checkCount(facts.ballot, 'ballot'),
    configuration: checkConfiguration(facts.configuration),
    requests: checkCount(facts.requests, 'requests'),
    stateBytes: checkCount(facts.stateBytes, 'stateBytes'),
  };
}
