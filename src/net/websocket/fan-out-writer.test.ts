import { expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { FanOutWriter } from './fan-out-writer.ts';

test('FanOutWriter writes at the end of the turn, answers before frames, each in the order it came', () => {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const written: string[] = [];
  const named = (name: string) => ({ writeTurn: () => written.push(name) });
  writer.enlist(named('first frames'));
  writer.enlistAnswer(named('first answer'));
  writer.enlist(named('second frames'));
  writer.enlistAnswer(named('second answer'));
  expect(written).toEqual([]);
  time.endTurn();
  expect(written).toEqual(['first answer', 'second answer', 'first frames', 'second frames']);
});

test('FanOutWriter leaves what is enlisted while it writes to the next turn', () => {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const written: string[] = [];
  const late = { writeTurn: () => written.push('late') };
  writer.enlistAnswer({
    writeTurn: () => {
      writer.enlist(late);
      written.push('answer');
    },
  });
  time.endTurn();
  expect(written).toEqual(['answer', 'late']);
  time.endTurn();
  expect(written).toHaveLength(2);
});
