/** One write a turn, a bound on what waits, and an end that is told once. */
import { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { encodeFrame, FrameDecoder, type LinkFrame } from './frame-codec.ts';
import { Link } from './link.ts';

/** A socket whose kernel takes bytes only when the test says so. */
class HandSocket extends Duplex {
  writes: Buffer[] = [];
  stalled = false;
  #stalledWrites: (() => void)[] = [];

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(bytes);
    if (this.stalled) this.#stalledWrites.push(done);
    else done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer', done);
  }

  goOn(): void {
    this.stalled = false;
    for (const done of this.#stalledWrites.splice(0)) done();
  }

  frames(): LinkFrame[] {
    const decoder = new FrameDecoder();
    return this.writes.flatMap((bytes) => decoder.push(bytes));
  }
}

let socket: HandSocket;
let time: FakeTime;
let link: Link;
let heard: string[];

beforeEach(() => {
  socket = new HandSocket();
  time = new FakeTime();
  heard = [];
  link = new Link(socket, {
    timers: time,
    events: {
      onFrame: (frame) => {
        heard.push(frame.kind);
        if (frame.kind === 'cut') link.cut();
      },
      onBroken: (fault) => heard.push(`broken: ${fault}`),
    },
    outboxBytesMax: 3_000_000,
  });
});

const frame = (kind: string, size = 0): LinkFrame => {
  return { type: 'tell', id: 0, kind, facts: null, bytes: new Uint8Array(size) };
};
const bytesOf = (...frames: LinkFrame[]) =>
  Buffer.concat(frames.map((one) => encodeFrame(one) as Uint8Array));

describe('a link', () => {
  it('writes what a turn sent with one call, small or large', () => {
    for (const kind of ['a', 'b', 'c']) link.send(frame(kind));
    expect(socket.writes).toEqual([]);
    time.endTurn();
    expect(socket.writes).toHaveLength(1);
    for (const kind of ['d', 'e']) link.send(frame(kind, 900_000));
    time.endTurn();
    expect(socket.writes).toHaveLength(2);
    expect(socket.frames().map(({ kind }) => kind)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('refuses what would wait beyond its bound, in this turn or in the kernel', () => {
    socket.stalled = true;
    expect(link.send(frame('a', 1_400_000))).toBe(true);
    time.endTurn();
    expect(link.send(frame('b', 1_400_000))).toBe(true);
    expect(link.send(frame('c', 1_400_000))).toBe(false);
    expect(link.waitingBytes).toBeGreaterThan(2_800_000);
    socket.goOn();
    time.endTurn();
    expect(link.waitingBytes).toBe(0);
    expect(link.send(frame('d', 1_400_000))).toBe(true);
  });

  it('hears frames in pieces, and nothing behind its end', async () => {
    const bytes = bytesOf(frame('a'), frame('b'), frame('cut'), frame('never'));
    socket.push(bytes.subarray(0, 20));
    socket.push(bytes.subarray(20));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toEqual(['a', 'b', 'cut']);
    expect(link.send(frame('x'))).toBe(false);
  });

  it('says once that it broke, and why when the bytes were wrong', async () => {
    socket.push(bytesOf(frame('a')));
    socket.push(Buffer.alloc(8, 0xff));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toEqual(['a', 'broken: the frame is too long']);
  });

  it('takes an error of the socket for an end', async () => {
    socket.destroy(new Error('ECONNRESET'));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toEqual(['broken: null']);
  });

  it('sends what was said in its last turn before it is cut', () => {
    link.send(frame('last words'));
    link.cut();
    expect(socket.frames().map(({ kind }) => kind)).toEqual(['last words']);
  });
});
