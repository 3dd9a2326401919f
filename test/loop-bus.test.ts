/** The in-process bus keeps the promises of the real one, and lets a test hold what is under way. */
import { expect, it } from 'vitest';
import type { Bus, Json } from '../src/bus/index.ts';
import { type BusWorld, busSuite, message } from './fakes/bus-suite.ts';
import { FakeTime } from './fakes/fake-time.ts';
import { LoopNetwork } from './fakes/loop-bus.ts';
import { seatAt } from './fakes/worker-names.ts';

/** Lets deliveries happen by themselves, one turn of the event loop after the other. */
function makeWorld(): BusWorld {
  const time = new FakeTime();
  const network = new LoopNetwork(time);
  let running = true;
  const run = () => {
    network.runAll();
    if (running) setImmediate(run);
  };
  run();
  return {
    make: async (slot, runNumber) => network.bus(slot, runNumber),
    announce: (bus) => void network.up(bus.self),
    kill: async (bus) => network.down(bus.self.seat),
    pass: (ms) => time.advance(ms),
    end: async () => {
      running = false;
    },
  };
}

busSuite('LoopBus', makeWorld);

function startTwo(): { network: LoopNetwork; first: Bus; second: Bus; got: Json[] } {
  const network = new LoopNetwork();
  const [first, second] = [network.up(0), network.up(1)];
  network.runAll();
  const got: Json[] = [];
  second.handle('note', (_from, { facts }) => got.push(facts));
  return { network, first, second, got };
}

it('delivers one thing a step', () => {
  const { network, first, got } = startTwo();
  first.tell(seatAt(1), message('note', 'a'));
  first.tell(seatAt(1), message('note', 'b'));
  expect(got).toEqual([]);
  expect([network.step(), got.length, network.step(), got.length, network.step()]).toEqual([
    true,
    1,
    true,
    2,
    false,
  ]);
});

it('holds one direction and lets the other go', () => {
  const { network, first, second, got } = startTwo();
  first.handle('note', (_from, { facts }) => got.push(facts));
  network.hold(0, 1);
  first.tell(seatAt(1), message('note', 'held'));
  second.tell(seatAt(0), message('note', 'free'));
  network.runAll();
  expect(got).toEqual(['free']);
  network.release(0, 1);
  network.runAll();
  expect(got).toEqual(['free', 'held']);
});

it('loses what is under way to and from a run that ends', () => {
  const { network, first, got } = startTwo();
  first.tell(seatAt(1), message('note', 'lost'));
  network.down(1);
  first.tell(seatAt(1), message('note', 'lost too'));
  network.up(1, 2).handle('note', (_from, { facts }) => got.push(facts));
  network.runAll();
  first.tell(seatAt(1), message('note', 'found'));
  network.runAll();
  expect(got).toEqual(['found']);
});
