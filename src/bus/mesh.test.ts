/** The mesh over real unix sockets: the promises of every bus, and what only sockets can do wrong. */
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ask, busSuite, latch, message, nextUp } from '../../test/fakes/bus-suite.ts';
import { MeshWorld } from '../../test/fakes/mesh-world.ts';
import { seatAt, workerAt } from '../../test/fakes/worker-names.ts';
import { LIMITS } from '../base/index.ts';
import type { Json } from './bus.ts';
import { encodeFrame, FrameDecoder, type FrameType, type LinkFrame } from './frame-codec.ts';
import { MeshBus } from './mesh.ts';

busSuite('MeshBus', () => new MeshWorld());

let world: MeshWorld;
let said: string[];
let strangers: Socket[];

beforeEach(() => {
  world = new MeshWorld();
  said = [];
  strangers = [];
});

afterEach(async () => {
  for (const stranger of strangers) stranger.destroy();
  await world.end();
});

/** Starts a worker that answers `echo` and notes the coming and going of its sisters. */
async function start(slot: number, run = 1, outboxBytesMax?: number): Promise<MeshBus> {
  const bus = await world.make(slot, run, 'gateway', outboxBytesMax);
  bus.handle('echo', (from, { facts }, reply) => reply([from.slot, from.run, facts]));
  const name = `${slot}.${run}`;
  bus.onSisterUp((sister) => said.push(`${name}: up ${sister.slot}.${sister.run}`));
  bus.onSisterDown((sister) => said.push(`${name}: down ${sister.slot}.${sister.run}`));
  return bus;
}

async function startTwo(outboxBytesMax?: number): Promise<[MeshBus, MeshBus]> {
  const [first, second] = [await start(0, 1, outboxBytesMax), await start(1, 1, outboxBytesMax)];
  const up = Promise.all([nextUp(first), nextUp(second)]);
  world.announce(first);
  world.announce(second);
  await up;
  said = [];
  return [first, second];
}

/** Somebody who knows the path and the frames, but not necessarily how to behave. */
async function dialAsStranger(slot: number, run: number): Promise<{ socket: Socket; frames: LinkFrame[] }> {
  const socket = createConnection({ path: world.path(slot, run) });
  strangers.push(socket);
  const decoder = new FrameDecoder();
  const frames: LinkFrame[] = [];
  socket.on('data', (piece: Buffer) => frames.push(...decoder.push(piece)));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, frames };
}

function send(socket: Socket, type: FrameType, facts: Json, kind = ''): void {
  socket.write(encodeFrame({ type, id: 1, kind, facts, bytes: new Uint8Array(0) }) as Uint8Array);
}

const greeting = (slot: number, run: number, to: { slot: number; run: number }, kind = 'gateway') => {
  return { from: workerAt(slot, run), kind, to: workerAt(to.slot, to.run) } as unknown as Json;
};

function nextDown(bus: MeshBus): Promise<void> {
  return new Promise((resolve) => bus.onSisterDown(() => resolve()));
}

describe('a mesh of one', () => {
  it('needs no socket to ask itself', async () => {
    const meshPath = join(world.directory, 'unused.sock');
    const doors = { clock: world.time, timers: world.time, logger: world.log };
    const bus = new MeshBus({ self: workerAt(0, 1), kind: 'gateway', meshPath, ...doors });
    bus.handle('echo', (_from, { facts }, reply) => reply(facts));
    bus.peers([{ kind: 'gateway', slot: 0, run: 1, meshPath }]);
    expect(await ask(bus, 0, message('echo', 5))).toMatchObject({ ok: true, value: { facts: 5 } });
    expect(bus.sisters()).toEqual([workerAt(0, 1)]);
    await bus.close();
  });
});

describe('the life of a mesh', () => {
  it('takes the place of a socket that a killed run left', async () => {
    writeFileSync(world.path(0, 1), '');
    await start(0);
    await dialAsStranger(0, 1);
  });

  it('says which path it could not listen on', async () => {
    rmSync(world.directory, { recursive: true });
    await expect(start(0)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });

  it('ends open questions and takes the socket along when it closes', async () => {
    const bus = await start(0);
    bus.handle('never', () => {});
    const answers = [ask(bus, 0, message('never')), ask(bus, 5, message('echo'))];
    await bus.close();
    expect(await Promise.all(answers)).toEqual([
      { ok: false, error: 'unreachable' },
      { ok: false, error: 'unreachable' },
    ]);
    expect(await ask(bus, 0, message('echo'))).toEqual({ ok: false, error: 'unreachable' });
    expect(existsSync(world.path(0, 1))).toBe(false);
    await bus.close();
  });

  it('sets no timer for anything when nothing is open', async () => {
    const [first] = await startTwo();
    await ask(first, 1, message('echo'));
    world.pass(LIMITS.linkSweepMs * 2);
    expect(world.time.pending).toBe(0);
  });
});

describe('runs of a mesh', () => {
  it('are over when the supervisor says so, once', async () => {
    const [first, second] = await startTwo();
    const over = nextDown(second);
    world.buses.delete(second);
    world.places = world.places.filter((place) => place.slot !== 1);
    world.tellAll();
    world.tellAll();
    await over;
    expect(said.filter((line) => line.startsWith('0.1'))).toEqual(['0.1: down 1.1']);
    expect(first.sisters()).toHaveLength(1);
    await second.close();
  });

  it('are over when their link breaks, before the supervisor knows', async () => {
    const [first, second] = await startTwo();
    const over = nextDown(first);
    world.buses.delete(second);
    await second.close();
    await over;
    expect(said).toEqual(['0.1: down 1.1']);
    world.places = world.places.filter((place) => place.slot !== 1);
    world.tellAll();
    expect(said).toEqual(['0.1: down 1.1']);
  });

  it('are also over when they were only heard of through their own link', async () => {
    const first = await start(0);
    const { socket, frames } = await dialAsStranger(0, 1);
    send(socket, 'hello', greeting(1, 1, first.self));
    await once(socket, 'data');
    expect(frames[0]?.type).toBe('hello');
    const over = nextDown(first);
    socket.destroy();
    await over;
    expect(said).toEqual(['0.1: down 1.1']);
  });

  it('end before a successor speaks that the supervisor has not named yet', async () => {
    const [first] = await startTwo();
    const heard: string[] = said;
    first.handle('hi', (from) => heard.push(`hi from ${from.slot}.${from.run}`));
    const { socket } = await dialAsStranger(0, 1);
    send(socket, 'hello', greeting(1, 2, first.self));
    send(socket, 'tell', null, 'hi');
    send(socket, 'ask', null, 'echo');
    await once(socket, 'data');
    expect(said.filter((line) => !line.startsWith('1.1'))).toEqual(['0.1: down 1.1', 'hi from 1.2']);
  });

  it('come up anew on both sides when a link broke although both live', async () => {
    const [first, second] = await startTwo();
    const [overForFirst, overForSecond] = [nextDown(first), nextDown(second)];
    const back = Promise.all([nextUp(first), nextUp(second)]);
    const { socket } = await dialAsStranger(0, 1);
    // It dials in the name of the second, which for the first can only mean that links broke.
    send(socket, 'hello', greeting(1, 1, first.self));
    await Promise.all([overForFirst, overForSecond]);
    const redial = setInterval(() => world.pass(LIMITS.linkRedialMs), 1);
    await back;
    clearInterval(redial);
    expect(said.filter((line) => line.startsWith('1.1'))).toEqual(['1.1: down 0.1', '1.1: up 0.1']);
    expect(await ask(first, 1, message('echo'))).toMatchObject({ ok: true });
    expect(await ask(second, 0, message('echo'))).toMatchObject({ ok: true });
  });

  it('are cut on both ways when one way breaks', async () => {
    const first = await start(0);
    const dialled: Socket[] = [];
    const server = createServer((socket) => {
      dialled.push(socket);
      socket.on('data', () => send(socket, 'hello', null));
    });
    server.listen(world.path(1, 1));
    onTestFinished(() => void server.close());
    world.places.push({ kind: 'gateway', slot: 1, run: 1, meshPath: world.path(1, 1) });
    const up = nextUp(first);
    world.tellAll();
    await up;
    const { socket } = await dialAsStranger(0, 1);
    send(socket, 'hello', greeting(1, 1, first.self));
    await once(socket, 'data');
    const cut = once(dialled[0] as Socket, 'close');
    socket.destroy();
    await cut;
    expect([said, first.sisters()]).toEqual([['0.1: up 1.1', '0.1: down 1.1'], [first.self]]);
  });

  it('are not believed when the supervisor has named a later one', async () => {
    const first = await start(0);
    world.places.push({ kind: 'gateway', slot: 1, run: 3, meshPath: world.path(1, 3) });
    world.tellAll();
    const { socket, frames } = await dialAsStranger(0, 1);
    const ended = once(socket, 'close');
    send(socket, 'hello', greeting(1, 2, first.self));
    await ended;
    expect([frames, said]).toEqual([[], []]);
  });

  it('are dialled until they listen', async () => {
    const first = await start(0);
    world.announce(first);
    world.places.push({ kind: 'gateway', slot: 1, run: 1, meshPath: world.path(1, 1) });
    world.tellAll();
    const up = nextUp(first);
    const second = await start(1);
    world.announce(second);
    const redial = setInterval(() => world.pass(LIMITS.linkRedialMs), 1);
    await up;
    clearInterval(redial);
    expect(await ask(first, 1, message('echo'))).toMatchObject({ ok: true });
  });
});

describe('an api worker', () => {
  it('asks gateways, its own slot number included, and is nobody’s sister', async () => {
    const [first] = await startTwo();
    const api = await world.make(0, 9, 'api');
    const up = nextUp(api);
    api.peers(world.places);
    await up;
    expect(await ask(api, 0, message('echo', 'x'))).toMatchObject({
      ok: true,
      value: { facts: [0, 9, 'x'] },
    });
    expect(await ask(api, 1, message('echo', 'x'))).toMatchObject({ ok: true });
    expect(api.sisters().map((sister) => sister.slot)).toEqual([0, 1]);
    expect(first.sisters().map((sister) => sister.run)).toEqual([1, 1]);
    await api.close();
    expect(said).toEqual([]);
  });
});

describe('whoever misbehaves', () => {
  it.each([
    ['says no hello', (socket: Socket) => send(socket, 'ask', null, 'echo')],
    ['says a hello without a name', (socket: Socket) => send(socket, 'hello', { from: { slot: 'x' } })],
    ['is an earlier run', (socket: Socket) => send(socket, 'hello', greeting(1, 0, { slot: 0, run: 1 }))],
    ['looks for another run', (socket: Socket) => send(socket, 'hello', greeting(1, 1, { slot: 0, run: 2 }))],
    ['has our own name', (socket: Socket) => send(socket, 'hello', greeting(0, 1, { slot: 0, run: 1 }))],
    ['sends garbage', (socket: Socket) => socket.write(Buffer.alloc(64, 0xee))],
  ])('is cut off, and nobody else notices: %s', async (_, misbehave) => {
    const [first] = await startTwo();
    const { socket, frames } = await dialAsStranger(0, 1);
    const ended = once(socket, 'close');
    misbehave(socket);
    await ended;
    expect([frames, said]).toEqual([[], []]);
    expect(world.log.messages('warn')).toContain('a link between workers was cut');
    expect(await ask(first, 1, message('echo'))).toMatchObject({ ok: true });
  });

  it('is cut off when it says nothing for too long', async () => {
    const first = await start(0);
    const { socket } = await dialAsStranger(0, 1);
    const other = await dialAsStranger(0, 1);
    send(other.socket, 'hello', greeting(1, 1, first.self));
    await once(other.socket, 'data');
    const ended = once(socket, 'close');
    world.pass(LIMITS.linkHelloMs);
    await ended;
    send(other.socket, 'ask', null, 'echo');
    await once(other.socket, 'data');
    expect(other.frames.map((frame) => frame.type)).toEqual(['hello', 'answer']);
  });

  it('answers where it should ask, and is cut off with its run', async () => {
    const first = await start(0);
    const { socket } = await dialAsStranger(0, 1);
    send(socket, 'hello', greeting(1, 1, first.self));
    const ended = once(socket, 'close');
    send(socket, 'answer', 1);
    await ended;
    expect(said).toEqual(['0.1: down 1.1']);
  });
});

describe('bounds', () => {
  it('refuses questions when too much waits, and drops what is told', async () => {
    const [first, second] = await startTwo(100_000);
    const got: Json[] = [];
    second.handle('note', (_from, { facts }) => got.push(facts));
    const large = { kind: 'echo', facts: null, bytes: new Uint8Array(60_000) };
    const outcomes: unknown[] = [];
    const answers = [ask(first, 1, large), ask(first, 1, large)];
    first.ask(seatAt(1), large, 10, (answer) => outcomes.push(answer));
    first.tell(seatAt(1), { ...large, kind: 'note' });
    first.tell(seatAt(1), message('note', 'small'));
    expect(await Promise.all(answers)).toMatchObject([{ ok: true }, { ok: false, error: 'overloaded' }]);
    world.pass(1_000);
    expect(outcomes).toEqual([{ ok: false, error: 'overloaded' }]);
    expect(got).toEqual(['small']);
    expect(world.log.messages('warn')).toHaveLength(1);
  });

  it('refuses an answer that is too large for the link', async () => {
    const [first, second] = await startTwo(100_000);
    second.handle('large', (_from, _message, reply) => reply(null, new Uint8Array(200_000)));
    expect(await ask(first, 1, message('large'))).toEqual({ ok: false, error: 'overloaded' });
  });

  it('lets so many wait for a sister and no more', async () => {
    const bus = await start(0);
    const outcomes: unknown[] = [];
    for (let index = 0; index < LIMITS.linkAsksWaitingMax; index++) {
      bus.ask(seatAt(1), message('echo'), 1_000, (answer) => outcomes.push(answer));
    }
    expect(await ask(bus, 1, message('echo'))).toEqual({ ok: false, error: 'overloaded' });
    expect(outcomes).toEqual([]);
    world.pass(1_100);
    expect(outcomes).toHaveLength(LIMITS.linkAsksWaitingMax);
  });

  it('never calls back before the asker’s own code has returned', async () => {
    const [first] = await startTwo(1_000);
    const early: string[] = [];
    let returned = false;
    const note = (name: string) => () => {
      if (!returned) early.push(name);
    };
    const all = latch();
    first.ask(seatAt(1), { kind: 'echo', facts: null, bytes: new Uint8Array(5_000) }, 9, note('too large'));
    first.ask(seatAt(0), message('unknown'), 9, note('unknown'));
    first.ask(seatAt(0), message('echo'), 9, note('self'));
    first.ask(seatAt(1), message('echo'), 9, all.open);
    returned = true;
    await all.opened;
    expect(early).toEqual([]);
  });
});
