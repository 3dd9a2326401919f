/** When foreign members are fed, and when not. What they are told is in `foreign-cursor.test.ts`. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import type { Configuration, Entry, Member } from '../consensus/index.ts';
import type { ForeignCall, ForeignOutcome } from '../peer/index.ts';
import { ForeignFeeds } from './foreign-feed.ts';

const YES: ForeignOutcome = { type: 'answered', answer: { status: 200, accepted: true, error: null } };

let time: FakeTime;
let log: CollectedLog;
let calls: { to: string; call: ForeignCall; done: (outcome: ForeignOutcome) => void }[];
let feeds: ForeignFeeds;
let startsFailed: number;
let state: Uint8Array;
beforeEach(() => {
  time = new FakeTime();
  log = new CollectedLog();
  calls = [];
  startsFailed = 0;
  state = new Uint8Array();
  feeds = new ForeignFeeds(
    { cluster: 'c', self: 'm' },
    {
      transport: { callForeign: (to, call, done) => calls.push({ to, call, done }) },
      timers: time,
      random: () => 0,
      logger: log,
      startFailed: () => startsFailed++,
      snapshot: () => ({ index: 5, state }),
    },
  );
});

function members(...foreign: string[]): Configuration {
  const member = (name: string, role: Member['role']): Member => ({ name, role, storage: null, knows: {} });
  return { members: [member('m', 'voter'), ...foreign.map((name) => member(name, 'foreign'))] };
}

function noop(index: number, ballot: number): Entry {
  return { index, ballot, payload: { type: 'noop' } };
}

describe('foreign members', () => {
  it('are fed from the first applied entry of the own ballot on: before, this node may be behind', () => {
    feeds.begin(4, members('f', 'g'));
    feeds.applied(noop(4, 3));
    time.advance(1_000);
    expect(calls).toEqual([]);
    feeds.applied(noop(5, 4));
    time.advance(0);
    expect(calls.map(({ to, call }) => `${to} ${call.method}`)).toEqual(['f prepare', 'g prepare']);
    expect(feeds.status().map(({ member }) => member)).toEqual(['f', 'g']);
  });

  it('are let go when the mastership ends, and when a later master has committed something', () => {
    for (const end of [() => feeds.end(), () => feeds.applied(noop(6, 5))]) {
      feeds.begin(4, members('f'));
      feeds.applied(noop(5, 4));
      time.advance(0);
      const last = calls.at(-1);
      const made = calls.length;
      end();
      last?.done(YES);
      time.advance(60_000);
      expect([calls.length, feeds.status(), time.pending]).toEqual([made, [], 0]);
    }
  });

  it('come and go with the configuration', () => {
    feeds.configure(members('f'));
    expect(feeds.status()).toEqual([]);
    feeds.begin(4, members('f'));
    feeds.applied(noop(5, 4));
    feeds.configure(members('g'));
    time.advance(0);
    expect(calls.map(({ to }) => to)).toEqual(['g']);
  });

  it('are asked one thing at a time, and an operator reads of failures as they double', () => {
    feeds.begin(4, members('f'));
    feeds.applied(noop(5, 4));
    time.advance(60_000);
    expect(calls).toHaveLength(1);
    for (let number = 0; number < 9; number++) {
      calls.at(-1)?.done({ type: 'failed', detail: 'refused' });
      time.advance(2_000);
    }
    expect(calls).toHaveLength(10);
    expect(log.lines.map(({ fields }) => fields.failures)).toEqual([1, 2, 4, 8]);
    expect(log.lines[0]?.fields).toMatchObject({ member: 'f', detail: 'refused' });
  });

  it('are sent a large snapshot no sooner again than its bytes may take, and that it failed is told', () => {
    state = new Uint8Array(3 * 2 ** 20);
    feeds.begin(4, members('f'));
    feeds.applied(noop(5, 4));
    time.advance(0);
    const startFailing = (): void => {
      calls.at(-1)?.done({ type: 'answered', answer: { status: 200, accepted: 0n, error: null } });
      calls.at(-1)?.done(YES);
      expect(calls.at(-1)?.call.method).toBe('start');
      calls.at(-1)?.done({ type: 'failed', detail: 'no answer within 13000 ms' });
    };
    startFailing();
    const made = calls.length;
    // 4 MiB in base64 at half a MiB a second.
    time.advance(7_999);
    expect(calls).toHaveLength(made);
    time.advance(1);
    expect(calls).toHaveLength(made + 1);
    startFailing();
    expect(startsFailed).toBe(2);
    expect(log.lines.map(({ fields }) => fields.startsFailed)).toEqual([1, 2]);
    expect(log.lines[1]?.fields).toMatchObject({ snapshotBytes: 3 * 2 ** 20, failures: 2 });
  });
});
