/** A snapshot survives being cut into pieces, and nothing else passes for one. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32 } from './crc32.ts';
import { SnapshotAssembly, type SnapshotPiece } from './snapshot-assembly.ts';
import { decodeSnapshot, SnapshotImage } from './snapshot-image.ts';
import type { Snapshot } from './types.ts';

const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  index: fc.nat(),
  ballot: fc.nat(),
  configuration: fc.record({
    members: fc.array(
      fc.record({
        name: fc.string({ unit: 'grapheme' }),
        storage: fc.option(fc.string()),
        role: fc.constantFrom('voter', 'learner', 'foreign'),
        knows: fc.dictionary(fc.constantFrom('put', 'del'), fc.nat(), { noNullPrototype: true }),
      }),
      { maxLength: 3 },
    ),
  }),
  requests: fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.nat()), { maxLength: 3 }),
  state: fc.uint8Array({ maxLength: 200 }),
});

function pieceOf(image: SnapshotImage, offset: number, bytesMax: number): SnapshotPiece {
  const { index, ballot: lastBallot, totalBytes, checksum } = image;
  return { index, lastBallot, totalBytes, checksum, offset, piece: image.piece(offset, bytesMax) };
}

function assembled(image: SnapshotImage, bytesMax: number): Snapshot | null {
  const assembly = new SnapshotAssembly(10_000);
  for (let offset = 0; ; ) {
    const taken = assembly.take(pieceOf(image, offset, bytesMax));
    if (taken.whole !== null || taken.offset <= offset) return taken.whole;
    offset = taken.offset;
  }
}

it('is the same at the other end, however it is cut', () => {
  fc.assert(
    fc.property(snapshots, fc.integer({ min: 1, max: 300 }), (snapshot, bytesMax) => {
      expect(assembled(new SnapshotImage(snapshot), bytesMax)).toEqual(snapshot);
    }),
  );
});

it('takes no pieces that leave gaps, and tells where it stands', () => {
  const image = new SnapshotImage({
    index: 7,
    ballot: 2,
    configuration: { members: [] },
    requests: [],
    state: new Uint8Array(100),
  });
  const assembly = new SnapshotAssembly(10_000);
  expect(assembly.take(pieceOf(image, 50, 50)).offset).toBe(0);
  expect(assembly.take(pieceOf(image, 0, 50)).offset).toBe(50);
  expect(assembly.take(pieceOf(image, 0, 50)).offset).toBe(50);
  expect(assembly.take(pieceOf(image, 80, 50)).offset).toBe(50);
  // Another snapshot takes the place of this one.
  expect(assembly.take({ ...pieceOf(image, 0, 10), index: 8 }).offset).toBe(10);
  expect(new SnapshotAssembly(10).take(pieceOf(image, 0, 50))).toEqual({ offset: 0, whole: null });
});

it('throws away what was garbled, and starts over', () => {
  fc.assert(
    fc.property(snapshots, fc.nat(), fc.integer({ min: 1, max: 255 }), (snapshot, at, flip) => {
      const image = new SnapshotImage(snapshot);
      const whole = pieceOf(image, 0, image.totalBytes);
      const piece = whole.piece.slice();
      const place = at % piece.length;
      piece[place] = (piece[place] as number) ^ flip;
      const assembly = new SnapshotAssembly(10_000);
      expect(assembly.take({ ...whole, piece })).toEqual({ offset: 0, whole: null });
      expect(assembly.take(whole).whole).toEqual(snapshot);
    }),
  );
});

it('takes nothing for a snapshot that is none', () => {
  const text = (json: string, length = json.length) => {
    const bytes = Uint8Array.from(`\x01\0\0\0${String.fromCharCode(length)}${json}`, (each) =>
      each.charCodeAt(0),
    );
    return decodeSnapshot(bytes);
  };
  expect(text('{"index":1,"ballot":1,"configuration":{"members":[]},"requests":[]}')).not.toBeNull();
  expect(text('{"index":1.5,"ballot":1,"configuration":{"members":[]},"requests":[]}')).toBeNull();
  expect(text('{"index":1,"ballot":1,"configuration":{},"requests":[]}')).toBeNull();
  expect(text('{"index":1,"ballot":1,"configuration":{"members":[]}}')).toBeNull();
  expect(text('{"index":')).toBeNull();
  expect(text('{}', 99)).toBeNull();
  expect(decodeSnapshot(new Uint8Array(3))).toBeNull();
  expect(decodeSnapshot(Uint8Array.of(2, 0, 0, 0, 0))).toBeNull();
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeSnapshot(bytes)));
});

it('counts the checksum that everybody counts', () => {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  expect(crc32(bytes('123456789'))).toBe(0xcbf43926);
  expect(crc32(bytes('6789'), crc32(bytes('12345')))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});
