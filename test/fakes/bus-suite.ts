/**
 * What every bus promises, as tests that each implementation has to pass.
 *
 * Written against real time as little as possible: whatever is awaited is an answer or a call of a
 * listener, and patience ends only when the test lets time pass.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Result, WorkerSlot } from '../../src/base/index.ts';
import type { Bus, BusAnswer, BusFailure, BusMessage, Json, Sister } from '../../src/bus/index.ts';
import { NO_BYTES } from '../../src/bus/index.ts';
import { seatAt, workerAt } from './worker-names.ts';

/** A node's workers, as far as their bus is concerned. */
export interface BusWorld {
  /** Starts a run; the bus is not connected yet, so that handlers can be registered. */
  make(slot: WorkerSlot, run: number): Promise<Bus>;
  /** Tells everybody that the run is up. */
  announce(bus: Bus): void;
  /** Ends a run as a kill does, and tells everybody. */
  kill(bus: Bus): Promise<void>;
  /** Lets time pass for everybody's patience. */
  pass(ms: number): void;
  end(): Promise<void>;
}

/** Registers the suite under `name`. */
export function busSuite(name: string, makeWorld: () => BusWorld): void {
  let world: BusWorld;
  beforeEach(() => {
    world = makeWorld();
  });
  afterEach(() => world.end());

  /** Starts a run that echoes and counts, and connects it. */
  async function start(slot: WorkerSlot, run = 1, prepare: (bus: Bus) => void = () => {}): Promise<Bus> {
    const bus = await world.make(slot, run);
    bus.handle('echo', (from, { facts, bytes }, reply) => reply([from.slot, from.run, facts], bytes));
    prepare(bus);
    world.announce(bus);
    return bus;
  }

  async function startTwo(): Promise<[Bus, Bus]> {
    const first = await start(0);
    const isUp = nextUp(first);
    const second = await start(1);
    const sees = second.sisters().length > 1 ? Promise.resolve() : nextUp(second);
    await Promise.all([isUp, sees]);
    return [first, second];
  }

  describe(`${name}: questions`, () => {
    it('carries facts and bytes there and back untouched', async () => {
      const [first] = await startTwo();
      const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);
      const facts = { text: 'žluť 🗝', list: [1, null, true, -0.5] };
      const answer = await ask(first, 1, { kind: 'echo', facts, bytes });
      expect(answer.ok && answer.value.facts).toEqual([0, 1, facts]);
      expect(answer.ok && Buffer.compare(answer.value.bytes, bytes)).toBe(0);
    });

    it('answers a worker that asks itself, later', async () => {
      const bus = await start(0);
      let answered = false;
      const answer = new Promise((resolve) => {
        bus.ask(seatAt(0), message('echo', 'me'), 1_000, (result) => {
          answered = true;
          resolve(result);
        });
      });
      expect(answered).toBe(false);
      expect(await answer).toEqual({ ok: true, value: { facts: [0, 1, 'me'], bytes: NO_BYTES } });
    });

    it('answers many at once, each with its own answer', async () => {
      const [first] = await startTwo();
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, index) => ask(first, index % 2, message('echo', index))),
      );
      expect(answers.map((answer) => answer.ok && (answer.value.facts as Json[])[2])).toEqual(
        Array.from({ length: 500 }, (_, index) => index),
      );
    });

    it('keeps the order of sending between two workers, tells and asks alike', async () => {
      const got: Json[] = [];
      const first = await start(0);
      const up = nextUp(first);
      await start(1, 1, (bus) => {
        bus.handle('note', (_from, { facts }) => got.push(facts));
        bus.handle('noted', (_from, { facts }, reply) => reply(got.push(facts)));
      });
      await up;
      for (let index = 0; index < 300; index++) first.tell(seatAt(1), message('note', index));
      await ask(first, 1, message('noted', 300));
      expect(got).toEqual(Array.from({ length: 301 }, (_, index) => index));
    });

    it('refuses a kind that nobody handles, to a sister and to itself', async () => {
      const [first] = await startTwo();
      expect(await ask(first, 1, message('unknown'))).toEqual({ ok: false, error: 'unreachable' });
      expect(await ask(first, 0, message('unknown'))).toEqual({ ok: false, error: 'unreachable' });
    });

    it('holds a second answer for a bug', async () => {
      let failure: unknown;
      const bus = await start(0, 1, (made) => {
        made.handle('twice', (_from, _message, reply) => {
          reply(1);
          try {
            reply(2);
          } catch (error) {
            failure = error;
          }
        });
      });
      expect(await ask(bus, 0, message('twice'))).toMatchObject({ ok: true, value: { facts: 1 } });
      expect(String(failure)).toContain('answered once');
    });
  });

  describe(`${name}: patience`, () => {
    it('ends a question that the sister leaves open, and ignores what it says later', async () => {
      let answerLate = () => {};
      const asked = latch();
      const first = await start(0);
      const up = nextUp(first);
      await start(1, 1, (bus) => {
        bus.handle('slow', (_from, _message, reply) => {
          answerLate = () => reply('late');
          asked.open();
        });
      });
      await up;
      const outcomes: unknown[] = [];
      first.ask(seatAt(1), message('slow'), 1_000, (answer) => outcomes.push(answer));
      await asked.opened;
      world.pass(900);
      expect(outcomes).toEqual([]);
      world.pass(200);
      expect(outcomes).toEqual([{ ok: false, error: 'timeout' }]);
      answerLate();
      await ask(first, 1, message('echo'));
      expect(outcomes).toHaveLength(1);
    });

    it('ends a question to itself as well', async () => {
      const asked = latch();
      const bus = await start(0, 1, (made) => made.handle('never', () => asked.open()));
      const answer = ask(bus, 0, message('never'), 50);
      await asked.opened;
      world.pass(100);
      expect(await answer).toEqual({ ok: false, error: 'timeout' });
    });

    it('waits for a sister that is not there, and gives up in time', async () => {
      const bus = await start(0);
      const answer = ask(bus, 3, message('echo'), 500);
      world.pass(600);
      expect(await answer).toEqual({ ok: false, error: 'unreachable' });
    });

    it('asks a sister that comes while it waits, in the order of asking', async () => {
      const got: Json[] = [];
      const bus = await start(0);
      const answers = [1, 2, 3].map((facts) => ask(bus, 1, message('note', facts), 10_000));
      await start(1, 1, (made) => {
        made.handle('note', (_from, { facts }, reply) => {
          got.push(facts);
          reply(facts);
        });
      });
      await Promise.all(answers);
      expect(got).toEqual([1, 2, 3]);
    });
  });

  describe(`${name}: runs`, () => {
    it('lists who can be asked, by slot', async () => {
      const [first] = await startTwo();
      expect(first.sisters()).toEqual([workerAt(0, 1), workerAt(1, 1)]);
    });

    it('loses what is told to a slot where nobody is', async () => {
      const bus = await start(0);
      bus.tell(seatAt(7), message('echo'));
      expect(await ask(bus, 0, message('echo'))).toMatchObject({ ok: true });
    });

    it('ends open questions with the run that was asked and never puts them to the next', async () => {
      const asked = latch();
      let asking = 0;
      const count = (bus: Bus) => bus.handle('count', () => (asking++ === 0 ? asked.open() : undefined));
      const first = await start(0);
      const up = nextUp(first);
      const second = await start(1, 1, count);
      await up;
      const answer = ask(first, 1, message('count'), 60_000);
      await asked.opened;
      await world.kill(second);
      expect(await answer).toEqual({ ok: false, error: 'unreachable' });
      const upAgain = nextUp(first);
      await start(1, 2, count);
      await upAgain;
      expect(await ask(first, 1, message('echo'))).toMatchObject({ ok: true });
      expect(asking).toBe(1);
    });

    it('says once that a run is over, and before its successor is up', async () => {
      const [first, second] = await startTwo();
      const said: string[] = [];
      first.onSisterDown(({ slot, run }) => said.push(`down ${slot}.${run}`));
      first.onSisterUp(({ slot, run }) => said.push(`up ${slot}.${run}`));
      const over = new Promise<void>((resolve) => first.onSisterDown(() => resolve()));
      await world.kill(second);
      await over;
      const waiting = ask(first, 1, message('echo', 'again'), 60_000);
      await start(1, 2);
      expect(await waiting).toMatchObject({ ok: true, value: { facts: [0, 1, 'again'] } });
      expect(said).toEqual(['down 1.1', 'up 1.2']);
      expect(first.sisters()[1]).toEqual(workerAt(1, 2));
    });

    it('knows who speaks', async () => {
      const heard: Sister[] = [];
      const first = await start(0, 1, (bus) => bus.handle('hi', (from) => heard.push(from)));
      const up = nextUp(first);
      const second = await start(1, 4);
      const sees = second.sisters().length > 1 ? Promise.resolve() : nextUp(second);
      await Promise.all([up, sees]);
      second.tell(seatAt(0), message('hi'));
      await ask(second, 0, message('echo'));
      expect(heard).toEqual([workerAt(1, 4)]);
    });
  });
}

/** A message without bytes. */
export function message(kind: string, facts: Json = null): BusMessage {
  return { kind, facts, bytes: NO_BYTES };
}

/** Asks and waits for the outcome. */
export function ask(
  bus: Bus,
  slot: WorkerSlot,
  asked: BusMessage,
  timeoutMs = 60_000,
): Promise<Result<BusAnswer, BusFailure>> {
  return new Promise((resolve) => bus.ask(seatAt(slot), asked, timeoutMs, resolve));
}

/** Resolves when the next sister is up. */
export function nextUp(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.onSisterUp(() => resolve()));
}

/** A promise with its key. */
export function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
