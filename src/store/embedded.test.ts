/** The driver, between doors that say when and what. */
import { describe, expect, it } from 'vitest';
import { LOG_LIMITS } from '../base/index.ts';
import type { Envelope } from '../consensus/index.ts';
import type { Outcome, ReadOutcome } from './doors.ts';
import { batch, driverWorld, entryOf, messageOf } from './testdata/driver-world.ts';

const submission = {
  type: 'changes',
  kind: 'k',
  version: 1,
  requestId: null,
  changes: [Uint8Array.of(1)],
} as const;
const envelope = (call: number): Envelope => ({ to: 'b', message: messageOf(call) });
const full = (): Error => Object.assign(new Error('no space'), { code: 'ENOSPC' });

describe('a turn', () => {
  it('takes everything that arrived, in order, with one tick and one output', () => {
    const world = driverWorld();
    world.driver.receive('a', messageOf(1));
    world.driver.propose(submission, () => {});
    world.driver.receive('b', messageOf(2));
    world.time.endTurn();
    expect(world.replica.told).toEqual(['tick 0', 'receive a 1', 'receive b 2', 'propose', 'take']);
  });

  it('comes by itself when the output asked for it, and only once', () => {
    const world = driverWorld();
    world.turn({ wakeAtMs: 50 });
    world.time.advance(49);
    expect(world.replica.told).toEqual(['tick 0', 'take']);
    world.time.advance(10);
    expect(world.replica.told).toEqual(['tick 0', 'take', 'tick 50', 'take']);
    expect(world.time.pending).toBe(0);
  });

  it('drops the oldest message beyond its bound', () => {
    const world = driverWorld();
    for (let call = 1; call <= LOG_LIMITS.inboxMessagesMax + 2; call++)
      world.driver.receive('a', messageOf(call));
    world.time.endTurn();
    expect(world.replica.told[1]).toBe('receive a 3');
    expect(world.replica.told.length).toBe(LOG_LIMITS.inboxMessagesMax + 2);
    expect(world.driver.figures.dropped).toBe(2);
  });
});

describe('save before you speak', () => {
  it('holds messages until their token is durable, and sends the others at once', () => {
    const world = driverWorld();
    world.turn({ persist: batch(1), send: [envelope(1)], sendAfter: [envelope(2)], sendAfterToken: 1 });
    expect(world.sent).toEqual(['b 1']);
    world.store.answer();
    expect(world.sent).toEqual(['b 1', 'b 2']);
    world.time.endTurn();
    expect(world.replica.told).toContain('persisted 1');
  });

  it('holds what names an earlier token only for that one', () => {
    const world = driverWorld();
    world.turn({ persist: batch(1) });
    world.turn({ sendAfter: [envelope(1)], sendAfterToken: 1 });
    world.turn({ persist: batch(2), sendAfter: [envelope(2)], sendAfterToken: 2 });
    world.store.answer();
    expect(world.sent).toEqual(['b 1']);
    world.turn({ sendAfter: [envelope(3)], sendAfterToken: 1 });
    // Behind what waits for the second batch: messages to a member keep their order.
    expect(world.sent).toEqual(['b 1']);
    world.store.answer();
    expect(world.sent).toEqual(['b 1', 'b 2', 'b 3']);
  });

  it('says nothing more once the disk has failed, and refuses everybody', () => {
    const world = driverWorld();
    const outcomes: Outcome[] = [];
    const reads: ReadOutcome[] = [];
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    world.driver.read((outcome) => reads.push(outcome));
    world.turn({ persist: batch(1), sendAfter: [envelope(1)], sendAfterToken: 1, wakeAtMs: 10 });
    world.store.answer(new Error('input/output error'));
    world.time.advance(100);
    expect(world.sent).toEqual([]);
    expect(world.replica.told).toEqual(['tick 0', 'propose', 'read', 'take']);
    expect(world.stops.map((error) => error.code)).toEqual(['LOG_DISK_FAILED']);
    expect(outcomes).toMatchObject([{ type: 'refused', reason: 'stopped' }]);
    expect(reads).toMatchObject([{ type: 'refused' }]);
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    expect(outcomes[1]).toMatchObject({ type: 'refused', reason: 'stopped' });
  });

  it('waits out a full disk in silence, and goes on where it was', () => {
    const world = driverWorld();
    world.turn({ persist: batch(1), sendAfter: [envelope(1)], sendAfterToken: 1, wakeAtMs: 10 });
    world.turn({ persist: batch(2), sendAfter: [envelope(2)], sendAfterToken: 2, wakeAtMs: 10 });
    const before = world.replica.told.length;
    world.store.answer(full());
    // The one behind counts for nothing, even where the disk says otherwise.
    world.store.answer(null);
    const outcomes: Outcome[] = [];
    world.driver.receive('a', messageOf(9));
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    world.time.advance(LOG_LIMITS.diskRetryMs - 1);
    expect(outcomes).toMatchObject([{ reason: 'disk' }]);
    expect([world.driver.impaired, world.replica.told.length, world.sent.length]).toEqual([
      'disk_full',
      before,
      0,
    ]);
    world.time.advance(1);
    expect(world.store.batches).toEqual([1, 2, 1, 2]);
    world.store.answer(full());
    world.store.answer(full());
    world.time.advance(LOG_LIMITS.diskRetryMs);
    world.store.answer();
    expect(world.driver.impaired).toBe('disk_full');
    world.store.answer();
    world.time.endTurn();
    expect(world.driver.impaired).toBeNull();
    expect(world.sent).toEqual(['b 1', 'b 2']);
    expect(world.replica.told.slice(before)).toEqual([
      `tick ${world.time.monotonicMs()}`,
      'persisted 2',
      'take',
    ]);
  });
});

describe('the state', () => {
  it('is installed, then brought forward, before anybody is answered', () => {
    const world = driverWorld();
    const seen: string[] = [];
    world.driver.propose(submission, () => seen.push(`settled with ${world.state.texts.join()}`));
    world.time.endTurn();
    const state = new TextEncoder().encode('["x"]');
    const install = { index: 6, ballot: 1, configuration: { members: [] }, requests: [], state };
    const settled = [{ id: world.replica.id(0), type: 'committed', index: 7 } as const];
    world.turn({ install, commit: [entryOf(7, 'y')], settled });
    expect(seen).toEqual(['settled with x,y']);
    expect(world.driver.appliedIndex).toBe(7);
  });

  it('ends the node when it refuses an entry, and nothing after it is applied', () => {
    const world = driverWorld();
    world.state.refuses = true;
    world.turn({ commit: [entryOf(1, 'x'), entryOf(2, 'y')] });
    expect(world.stops.map((error) => error.code)).toEqual(['LOG_STATE_FAILED']);
    expect(world.driver.appliedIndex).toBe(0);
  });

  it('ends the node at a committed kind that it does not know', () => {
    const world = driverWorld();
    world.turn({ notices: [{ type: 'unknown_kind', index: 4, kind: 'new', version: 2 }] });
    expect(world.stops[0]?.message).toContain('Index 4: new, version 2.');
    world.time.advance(1_000);
    expect(world.replica.told).toEqual(['tick 0', 'take']);
  });
});

describe('reads', () => {
  it('that begin in one turn share a question, and wait until the index is applied', () => {
    const world = driverWorld();
    const answers: ReadOutcome[] = [];
    world.driver.read((outcome) => answers.push(outcome));
    world.driver.read((outcome) => answers.push(outcome));
    world.time.endTurn();
    expect(world.replica.told).toEqual(['tick 0', 'read', 'take']);
    world.turn({ reads: [{ id: world.replica.id(0), type: 'ready', index: 2 }], commit: [entryOf(1, 'x')] });
    expect(answers).toEqual([]);
    world.turn({ commit: [entryOf(2, 'y')] });
    expect(answers).toEqual([
      { type: 'ready', index: 2 },
      { type: 'ready', index: 2 },
    ]);
    expect(world.driver.figures.reads).toBe(0);
  });

  it('are refused when nobody answers in time, so that none is kept for ever', () => {
    const world = driverWorld();
    const answers: ReadOutcome[] = [];
    world.driver.read((outcome) => answers.push(outcome));
    world.time.endTurn();
    world.driver.read((outcome) => answers.push(outcome));
    world.turn({ reads: [{ id: world.replica.id(0), type: 'ready', index: 9 }] });
    world.time.advance(LOG_LIMITS.readWaitMs);
    world.turn();
    expect(answers).toEqual([
      { type: 'refused', master: null },
      { type: 'refused', master: null },
    ]);
    expect(world.driver.figures.reads).toBe(0);
  });
});

describe('proposals', () => {
  it('are refused as busy beyond their number', () => {
    const world = driverWorld();
    for (let index = 0; index < LOG_LIMITS.proposalsMax; index++) world.driver.propose(submission, () => {});
    const outcomes: Outcome[] = [];
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    expect(outcomes).toMatchObject([{ reason: 'busy' }]);
    world.time.endTurn();
    world.turn({ settled: [{ id: world.replica.id(0), type: 'committed', index: 1 }] });
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    expect(outcomes.length).toBe(1);
  });
});

describe('snapshots', () => {
  it('are taken one at a time when the log has grown by the bound', () => {
    const world = driverWorld(100);
    world.store.bytesSinceSnapshot = 100;
    world.turn({ commit: [entryOf(1, 'x')] });
    expect(world.store.snapshots).toEqual([]);
    world.store.bytesSinceSnapshot = 101;
    world.turn({ commit: [entryOf(2, 'y')] });
    world.turn({ commit: [entryOf(3, 'z')] });
    expect(world.store.snapshots.map(({ index }) => index)).toEqual([2]);
    expect(new TextDecoder().decode(world.store.snapshots[0]?.state)).toBe('["x","y"]');
    world.store.answerSnapshot();
    world.time.endTurn();
    expect(world.replica.told).toContain('compacted 2');
  });

  it('are tried again later when the disk refuses one', () => {
    const world = driverWorld(100);
    world.store.bytesSinceSnapshot = 101;
    world.turn({ commit: [entryOf(1, 'x')] });
    world.store.answerSnapshot(full());
    world.turn({ commit: [entryOf(2, 'y')] });
    expect(world.store.snapshots.length).toBe(1);
    world.time.advance(LOG_LIMITS.snapshotRetryMs);
    world.turn();
    expect(world.store.snapshots.map(({ index }) => index)).toEqual([1, 2]);
    expect(world.replica.told.filter((each) => each.startsWith('compacted'))).toEqual([]);
  });

  it('that a newer one has overtaken are not told to the replica', () => {
    const world = driverWorld(100);
    world.store.bytesSinceSnapshot = 101;
    world.turn({ commit: [entryOf(1, 'x')] });
    const state = new TextEncoder().encode('[]');
    world.turn({ install: { index: 9, ballot: 1, configuration: { members: [] }, requests: [], state } });
    world.store.answerSnapshot();
    world.time.endTurn();
    expect(world.replica.told.filter((each) => each.startsWith('compacted'))).toEqual([]);
  });
});

describe('the end', () => {
  it('answers everybody who waits, sets no timer, and closes the journal', () => {
    const world = driverWorld();
    const outcomes: Outcome[] = [];
    world.driver.propose(submission, (outcome) => outcomes.push(outcome));
    world.turn({ wakeAtMs: 10 });
    let closed = false;
    world.driver.close(() => {
      closed = true;
    });
    expect([closed, world.store.closed, world.time.pending]).toEqual([true, true, 0]);
    expect(outcomes).toMatchObject([{ reason: 'stopped' }]);
    expect(world.stops).toEqual([]);
  });
});
