/** Links between nodes, over real sockets: who may speak, what strangers cost, what an epoch ends. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message } from '../../test/fakes/bus-suite.ts';
import { ClusterMesh, type ClusterWorker, sistersUp } from '../../test/fakes/cluster-mesh.ts';
import { LIMITS, MESH_LIMITS, type Result, type Seat } from '../base/index.ts';
import { type BusAnswer, type BusFailure, type BusMessage, NO_BYTES } from './bus.ts';
import { encodeFrame, FrameDecoder, type LinkFrame } from './frame-codec.ts';

let mesh: ClusterMesh;
let strangers: Socket[];

beforeEach(() => {
  mesh = new ClusterMesh();
  strangers = [];
});

afterEach(async () => {
  for (const stranger of strangers) stranger.destroy();
  await mesh.end();
});

function ask(
  { bus }: ClusterWorker,
  seat: Seat,
  asked: BusMessage = message('echo', 'x'),
): Promise<Result<BusAnswer, BusFailure>> {
  return new Promise((resolve) => bus.ask(seat, asked, 60_000, resolve));
}

async function pair(): Promise<[ClusterWorker, ClusterWorker]> {
  const [one, two] = [await mesh.start(1), await mesh.start(2)];
  const up = Promise.all([sistersUp(one.bus, 1), sistersUp(two.bus, 1)]);
  mesh.agree();
  await up;
  return [one, two];
}

/** Lets time pass until `done`: dials that failed wait for it. */
async function passUntil(done: Promise<unknown>): Promise<void> {
  const passing = setInterval(() => mesh.time.advance(50), 1);
  await done;
  clearInterval(passing);
}

/** Resolves when somebody was cut off for this reason. */
function complaint(fault: string): Promise<void> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (!mesh.log.lines.some(({ fields }) => fields.fault === fault)) return;
      clearInterval(look);
      resolve();
    }, 1);
  });
}

async function dialAsStranger(worker: ClusterWorker): Promise<{ socket: Socket; frames: LinkFrame[] }> {
  const socket = createConnection({ host: worker.node.split('@')[1] as string, port: worker.port });
  strangers.push(socket);
  const decoder = new FrameDecoder();
  const frames: LinkFrame[] = [];
  socket.on('data', (piece: Buffer) => frames.push(...decoder.push(piece)));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, frames };
}

function hello(socket: Socket, facts: unknown): void {
  socket.write(
    encodeFrame({ type: 'hello', id: 0, kind: '', facts: facts as never, bytes: NO_BYTES }) as Uint8Array,
  );
}

const NONCE = 'ab'.repeat(32);

/** A genuine introduction of `from` to `to`, changed. */
function introduction(from: ClusterWorker, to: ClusterWorker, changed: Record<number, unknown> = {}) {
  const parts: unknown[] = [
    1,
    mesh.incarnation,
    [from.node, from.epoch, 0, 1],
    [to.node, to.epoch, 0],
    NONCE,
  ];
  for (const [place, value] of Object.entries(changed)) parts[Number(place)] = value;
  return parts;
}

describe('workers of different nodes', () => {
  it('ask and answer, and know with epoch and run who asks', async () => {
    const [one, two] = await pair();
    expect(await ask(one, two.bus.self.seat)).toMatchObject({
      ok: true,
      value: { facts: [one.bus.self.seat, 1, 1, 'x'] },
    });
    expect(one.bus.sisters().map(({ node, epoch, run }) => [node, epoch, run])).toEqual([
      [one.node, 0, 1],
      [two.node, 1, 1],
    ]);
  });

  it('carry more than a greeting may have once they are known', async () => {
    const [one, two] = await pair();
    two.bus.handle('size', (_from, { bytes }, reply) => reply(bytes.length, bytes));
    const bytes = new Uint8Array(3_000_000);
    const answer = await ask(one, two.bus.self.seat, { kind: 'size', facts: null, bytes });
    expect(answer.ok && [answer.value.facts, answer.value.bytes.length]).toEqual([3_000_000, 3_000_000]);
  });

  it('cannot ask a seat that no view names', async () => {
    const [one] = await pair();
    expect(await ask(one, '0/nobody@127.0.0.9' as Seat)).toEqual({ ok: false, error: 'gone' });
  });

  it('meet with any secret that both know, the first of one being the second of the other', async () => {
    const one = await mesh.start(1, { secrets: ['new', 'old'] });
    const two = await mesh.start(2, { secrets: ['old', 'new'] });
    const up = Promise.all([sistersUp(one.bus, 1), sistersUp(two.bus, 1)]);
    mesh.agree();
    await up;
    expect(await ask(one, two.bus.self.seat)).toMatchObject({ ok: true });
  });

  it('meet on one host without any secret', async () => {
    const [one, two] = [await mesh.start(1, { secrets: [] }), await mesh.start(2, { secrets: [] })];
    const up = sistersUp(one.bus, 1);
    mesh.agree();
    await up;
    expect(await ask(one, two.bus.self.seat)).toMatchObject({ ok: true });
  });

  it('tell the asker that too much waits already', async () => {
    const one = await mesh.start(1, { outboxBytesMax: 100_000 });
    const two = await mesh.start(2);
    const up = sistersUp(one.bus, 1);
    mesh.agree();
    await up;
    const large = { kind: 'echo', facts: null, bytes: new Uint8Array(60_000) };
    const answers = await Promise.all([1, 2].map(() => ask(one, two.bus.self.seat, large)));
    expect(answers).toMatchObject([{ ok: true }, { ok: false, error: 'overloaded' }]);
  });
});

describe('a worker of another node that is replaced', () => {
  it('is over before its successor is up, and what waited goes to that one', async () => {
    const [one, two] = await pair();
    const said: string[] = [];
    one.bus.onSisterDown(({ run }) => said.push(`down ${run}`));
    one.bus.onSisterUp(({ run }) => said.push(`up ${run}`));
    const over = new Promise<void>((resolve) => one.bus.onSisterDown(() => resolve()));
    const { port } = two;
    await mesh.kill(two);
    await over;
    const waiting = ask(one, two.bus.self.seat);
    const next = await mesh.start(2, { run: 2, port });
    mesh.tell(next);
    await passUntil(waiting);
    expect(await waiting).toMatchObject({ ok: true });
    expect(said).toEqual(['down 1', 'up 2']);
  });
});

describe('an epoch that is over', () => {
  it('ends what was asked, and is not dialled any more', async () => {
    const [one, two] = await pair();
    two.bus.handle('never', () => {});
    const open = ask(one, two.bus.self.seat, message('never'));
    const over = new Promise<void>((resolve) => one.bus.onSisterDown(() => resolve()));
    mesh.workers.splice(mesh.workers.indexOf(two), 1);
    mesh.agree([one]);
    await over;
    expect(await open).toEqual({ ok: false, error: 'unreachable' });
    expect(await ask(one, two.bus.self.seat)).toEqual({ ok: false, error: 'gone' });
    // It has not heard that it is over, and dials.
    await passUntil(complaint('it is not expected here'));
    expect(one.bus.sisters()).toHaveLength(1);
    await two.bus.close();
  });

  it('is refused when it dials, whatever it knows', async () => {
    const [one, two] = await pair();
    const over = new Promise<void>((resolve) => one.bus.onSisterDown(() => resolve()));
    // The node has come up anew; its old worker has not heard of that.
    mesh.view = {
      number: 9,
      nodes: mesh.view.nodes.map((node) => (node.node === two.node ? { ...node, epoch: 2 } : node)),
    };
    mesh.tell(one);
    await over;
    await passUntil(complaint('it is not expected here'));
    expect(one.bus.sisters()).toHaveLength(1);
  });

  it('that is our own ends all links to others', async () => {
    const [one, two] = await pair();
    const over = new Promise<void>((resolve) => two.bus.onSisterDown(() => resolve()));
    one.bus.cluster(null);
    await over;
    expect(one.bus.sisters()).toHaveLength(1);
  });
});

describe('a stranger', () => {
  it.each([
    ['asks before it has greeted', 'its first frame was no greeting'],
    ['has another secret', 'it does not know the secret'],
    ['speaks another version', 'it speaks another version'],
    ['is of another cluster', 'it is of another cluster'],
    ['looks for another worker', 'it looks for another worker'],
    ['sends half an introduction', 'its introduction cannot be read'],
    ['sends a frame that is too long', 'the frame is too long'],
    ['says nothing', 'no greeting came'],
  ])('is cut off, and nobody else notices: %s', async (what, fault) => {
    const [one, two] = await pair();
    const { socket, frames } = await dialAsStranger(one);
    const ended = once(socket, 'close');
    switch (what) {
      case 'asks before it has greeted':
        socket.write(encodeFrame({ type: 'ask', id: 1, ...message('echo') }) as Uint8Array);
        break;
      case 'has another secret':
        hello(socket, introduction(two, one));
        await once(socket, 'data');
        hello(socket, 'cd'.repeat(32));
        break;
      case 'speaks another version':
        hello(socket, introduction(two, one, { 0: 2 }));
        break;
      case 'is of another cluster':
        hello(socket, introduction(two, one, { 1: 'another' }));
        break;
      case 'looks for another worker':
        hello(socket, introduction(two, two));
        break;
      case 'sends half an introduction':
        hello(socket, introduction(two, one).slice(0, 3));
        break;
      case 'sends a frame that is too long':
        socket.write(Buffer.from([0x01, 0x10, 0, 0]));
        break;
      default:
        await new Promise((resolve) => setImmediate(resolve));
        mesh.time.advance(LIMITS.linkHelloMs);
    }
    await ended;
    expect(frames.filter(({ type }) => type !== 'hello')).toEqual([]);
    expect(mesh.log.lines.map(({ fields }) => fields.fault)).toContain(fault);
    expect(await ask(two, one.bus.self.seat)).toMatchObject({ ok: true });
  });

  it('cannot repeat what it overheard, nor send back what it is shown', async () => {
    const [one, two] = await pair();
    const first = await dialAsStranger(one);
    hello(first.socket, introduction(two, one));
    await once(first.socket, 'data');
    const challenge = first.frames[0]?.facts;
    const proof = two.auth.prove('dials', JSON.stringify([introduction(two, one), challenge]));
    const second = await dialAsStranger(one);
    hello(second.socket, introduction(two, one));
    await once(second.socket, 'data');
    const ended = once(second.socket, 'close');
    // It was made for the other link's challenge.
    hello(second.socket, proof);
    await ended;
    expect(second.frames).toHaveLength(1);
  });

  it('leaves room for others when many say nothing', async () => {
    const [one] = await pair();
    const silent = await Promise.all(
      Array.from({ length: MESH_LIMITS.strangersMax }, () => dialAsStranger(one)),
    );
    const late = await dialAsStranger(one);
    await once(late.socket, 'close');
    const ended = Promise.all(silent.map(({ socket }) => once(socket, 'close')));
    mesh.time.advance(LIMITS.linkHelloMs);
    await ended;
    const again = await dialAsStranger(one);
    hello(again.socket, introduction(one, one, { 2: ['x@127.0.0.3', 1, 0, 1] }));
    await once(again.socket, 'data');
    expect(again.frames).toHaveLength(1);
  });

  it('is not heard at all by a node that is in no cluster', async () => {
    const worker = await mesh.start(1);
    const { socket } = await dialAsStranger(worker);
    await once(socket, 'close');
  });
});
