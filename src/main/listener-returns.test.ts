import { expect, test } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import type { FromWorker, ListenerName } from '../process/index.ts';
import { ListenerReturns, returningListeners } from './listener-returns.ts';

function setUp() {
  const timers = new FakeTime();
  const sent: FromWorker[] = [];
  const unlistened: ListenerName[] = [];
  const room = { descriptors: 100 };
  const returns = new ListenerReturns({
    channel: { send: (message) => sent.push(message) },
    timers,
    logger: new CollectedLog(),
    canOpen: (count) => room.descriptors >= count,
    unlisten: (listener) => unlistened.push(listener),
  });
  const look = () => timers.advance(LIMITS.overloadLookMs);
  return { returns, sent, unlistened, room, look };
}

test('a worker that can open nothing more stops listening, and asks again once there is room', () => {
  const { returns, sent, unlistened, room, look } = setUp();
  returns.given('public');
  returns.given('app');
  look();
  expect(unlistened).toEqual([]);
  room.descriptors = 0;
  look();
  look();
  expect(unlistened).toEqual(['public', 'app']);
  // Room for one would be room for the handle alone.
  room.descriptors = 1;
  look();
  expect(sent).toEqual([]);
  room.descriptors = 8;
  look();
  look();
  expect(sent).toEqual([
    { type: 'gave_back', listener: 'public' },
    { type: 'gave_back', listener: 'app' },
  ]);
});

test('what was taken from it is not asked for, and what is given again may be given back again', () => {
  const { returns, sent, unlistened, room, look } = setUp();
  returns.given('public');
  returns.given('app');
  room.descriptors = 0;
  look();
  returns.taken('public');
  room.descriptors = 100;
  look();
  expect(sent).toEqual([{ type: 'gave_back', listener: 'app' }]);
  returns.given('app');
  room.descriptors = 0;
  look();
  expect(unlistened).toEqual(['public', 'app', 'app']);
});

test('what the supervisor orders is done, and known', () => {
  const timers = new FakeTime();
  const done: string[] = [];
  let room = true;
  const listeners = returningListeners(
    {
      channel: { send: (message) => done.push(message.type) },
      timers,
      logger: new CollectedLog(),
      canOpen: () => room,
    },
    { listen: (name) => done.push(`listen ${name}`), unlisten: (name) => done.push(`unlisten ${name}`) },
  );
  listeners.listen('public', {});
  listeners.listen('app', {});
  listeners.unlisten('app');
  room = false;
  timers.advance(LIMITS.overloadLookMs);
  expect(done).toEqual(['listen public', 'listen app', 'unlisten app', 'unlisten public']);
});
