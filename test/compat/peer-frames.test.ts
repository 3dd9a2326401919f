/**
 * What past releases said to each other is understood for ever.
 *
 * Each file of `peer-frames/` holds the frames of one release, one a line: which call carried it,
 * its bytes, and what it means. A cluster is upgraded node by node, so that old frames meet new
 * nodes. Files are only ever added, with the release that changes the wire.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { assert } from '../../src/base/index.ts';
import type { Answer, Request } from '../../src/consensus/index.ts';
import type { Method } from '../../src/peer/dialects.ts';
import type { MasterOutcome } from '../../src/peer/index.ts';
import {
  parseSafe,
  readAnswer,
  readRequest,
  writeAnswer,
  writeRequest,
} from '../../src/peer/message-codec.ts';
import { type ReadWish, readOutcome, readWish, writeOutcome, writeWish } from '../../src/peer/wish-codec.ts';

interface Frame {
  readonly carries: 'request' | 'answer' | 'wish' | 'outcome';
  readonly call: Method;
  readonly body: string;
  /** Byte strings as hexadecimal. */
  readonly means: unknown;
}

const FOLDER = new URL('./peer-frames/', import.meta.url);
const CLUSTER = 'c';

function framesOf(file: string): Frame[] {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Frame);
}

/** Reads a frame, and writes it again as this release would. */
function pass({ carries, call, body }: Frame): { means: unknown; written: string } {
  const fields = parseSafe(Buffer.from(body));
  assert(fields !== null, 'a frame is JSON with `Proto`');
  switch (carries) {
    case 'request': {
      const read = valueIn(readRequest(call, fields));
      const { from, to, message } = read;
      return { means: read, written: writeRequest({ cluster: CLUSTER, from, to }, message as Request).body };
    }
    case 'answer': {
      const asked = (JSON.parse(body) as { Type: string }).Type.replace('_answer', '') as Request['type'];
      const read: Answer = valueIn(readAnswer(asked, fields));
      return { means: read, written: writeAnswer(read) };
    }
    case 'wish': {
      const read: ReadWish = valueIn(readWish(call, fields));
      return { means: read, written: writeWish(read, read.sender, read.request) };
    }
    case 'outcome': {
      const read: MasterOutcome = valueIn(readOutcome(fields));
      const {
        Incarnation: incarnation,
        Storage: storage,
        Run: run,
        Knows: knows,
        Muted: muted,
      } = JSON.parse(body);
      return { means: read, written: writeOutcome({ incarnation, storage, run, knows, muted }, read) };
    }
  }
}

function valueIn<Value>(result: { ok: true; value: Value } | { ok: false; error: string }): Value {
  assert(result.ok, 'error' in result ? result.error : 'it is read');
  return result.value;
}

function plain(value: unknown): unknown {
  const replacer = (_key: string, inner: unknown) => {
    const { type, data } = (inner ?? {}) as { type?: string; data?: number[] };
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('hex');
    return type === 'Buffer' && data !== undefined ? Buffer.from(data).toString('hex') : inner;
  };
  return JSON.parse(JSON.stringify(value, replacer));
}

const files = readdirSync(FOLDER).sort();

describe.each(files)('the frames of %s', (file) => {
  it.each(framesOf(file).map((frame) => [frame.carries, frame.call, frame.body.length, frame] as const))(
    'are understood: %s by %s, %i bytes',
    (_carries, _call, _length, frame) => {
      expect(plain(pass(frame).means)).toEqual(frame.means);
    },
  );

  it('are of all kinds', () => {
    const kinds = framesOf(file).map(
      ({ carries, body }) => `${carries} ${(JSON.parse(body) as { Type: string }).Type}`,
    );
    const asked = ['pre_vote', 'vote', 'append', 'snapshot', 'transfer', 'read'];
    const wanted = [
      ...asked.flatMap((type) => [`request ${type}`, `answer ${type}_answer`]),
      ...['wish submit', 'wish add', 'wish remove', 'outcome outcome'],
    ];
    expect([...new Set(kinds)].sort()).toEqual(wanted.sort());
  });
});

describe('this release', () => {
  it('has its own file, and writes what stands there', () => {
    expect(files).toContain(`${manifest.version}.jsonl`);
    for (const frame of framesOf(`${manifest.version}.jsonl`)) expect(pass(frame).written).toBe(frame.body);
  });
});
