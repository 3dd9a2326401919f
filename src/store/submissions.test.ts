/** Requests of users across masters that come, go and keep silent. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeRandom } from '../../test/fakes/fake-random.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LOG_LIMITS } from '../base/index.ts';
import type { MasterOutcome, MasterRequest } from '../peer/index.ts';
import type { Outcome, Settled } from './doors.ts';
import { Submissions, type Submitted } from './submissions.ts';

const REQUEST: MasterRequest = {
  type: 'submit',
  kind: 'k',
  version: 1,
  requestId: 'r1',
  changes: [Uint8Array.of(1)],
};

let time: FakeTime;
let master: string | null;
let performed: Settled[];
let asked: { to: string; request: MasterRequest; done: (outcome: MasterOutcome) => void }[];
let submissions: Submissions;
let results: Submitted[];

beforeEach(() => {
  time = new FakeTime();
  master = null;
  performed = [];
  asked = [];
  results = [];
  submissions = new Submissions({
    timers: time,
    random: new FakeRandom(1),
    self: 'me',
    master: () => master,
    perform: (_request, done) => performed.push(done),
    ask: (to, request, done) => asked.push({ to, request, done }),
  });
});

const submit = (timeoutMs = 10_000): void =>
  submissions.submit(REQUEST, timeoutMs, (submitted) => results.push(submitted));
const refused = (reason: (Outcome & { type: 'refused' })['reason']): Outcome => {
  return { type: 'refused', reason, master: null, detail: 'so it is' };
};
const codes = (): (string | number)[] => results.map((each) => (each.ok ? each.index : each.error.code));

describe('a submission', () => {
  it('is performed here by the master', () => {
    master = 'me';
    submit();
    performed[0]?.({ type: 'committed', index: 7 });
    expect(results).toEqual([{ ok: true, index: 7 }]);
    expect([submissions.size, time.pending]).toEqual([0, 0]);
  });

  it('waits for a master, and is put to it as soon as it is known', () => {
    submit();
    time.advance(2_000);
    expect(asked).toEqual([]);
    master = 'a';
    submissions.masterKnown('a');
    expect(asked.map(({ to, request }) => [to, request])).toEqual([['a', REQUEST]]);
    asked[0]?.done({ type: 'done', index: 3, ballot: 1 });
    expect(results).toEqual([{ ok: true, index: 3 }]);
  });

  it('is put to the next master with the same request id, while the first one keeps silent', () => {
    master = 'a';
    submit();
    master = 'b';
    submissions.masterKnown('b');
    submissions.masterKnown('b');
    expect(asked.map(({ to }) => to)).toEqual(['a', 'b']);
    expect(asked[1]?.request).toBe(REQUEST);
    // The first one's no is no news; its yes would be.
    asked[0]?.done({ type: 'refused', retry: true, master: null, detail: 'late' });
    time.advance(1_000);
    expect(asked.length).toBe(2);
    asked[0]?.done({ type: 'done', index: 5, ballot: 1 });
    asked[1]?.done({ type: 'done', index: 5, ballot: 2 });
    expect(results).toEqual([{ ok: true, index: 5 }]);
  });

  it.each(['not_master', 'not_confirmed', 'busy', 'unknown'] as const)('is repeated after `%s`', (reason) => {
    master = 'me';
    submit();
    performed[0]?.(refused(reason));
    expect(performed.length).toBe(1);
    time.advance(LOG_LIMITS.submitRetryMs);
    expect(performed.length).toBe(2);
  });

  it.each([
    ['unknown_kind', 'LOG_KIND_UNKNOWN'],
    ['too_large', 'LOG_TOO_LARGE'],
    ['members', 'LOG_MEMBERS'],
    ['disk', 'LOG_DISK_FULL'],
    ['stopped', 'LOG_CLOSED'],
  ] as const)('ends after `%s`', (reason, code) => {
    master = 'me';
    submit();
    performed[0]?.(refused(reason));
    expect(codes()).toEqual([code]);
    expect(time.pending).toBe(0);
  });

  it('ends after a no that the master calls final', () => {
    master = 'a';
    submit();
    asked[0]?.done({ type: 'refused', retry: false, master: null, detail: 'not known to c' });
    expect(codes()).toEqual(['LOG_KIND_UNKNOWN']);
    expect(results[0]?.ok === false && results[0].error.message).toContain('not known to c.');
  });

  it('ends when its time is up, with the last reason in words', () => {
    master = 'a';
    submit(1_000);
    asked[0]?.done({ type: 'refused', retry: true, master: null, detail: 'connection refused' });
    time.advance(1_000);
    expect(codes()).toEqual(['LOG_TIMEOUT']);
    expect(results[0]?.ok === false && results[0].error.message).toContain('connection refused');
    expect(time.pending).toBe(0);
  });

  it('rests longer after each failure, up to a bound', () => {
    master = 'a';
    submit(60_000);
    for (let second = 0; second < 50; second++) {
      asked.at(-1)?.done({ type: 'refused', retry: true, master: null, detail: 'no' });
      time.advance(LOG_LIMITS.submitRetryMaxMs);
      expect(asked.length).toBe(second + 2);
    }
  });

  it('is refused when too many wait already', () => {
    for (let index = 0; index < LOG_LIMITS.proposalsMax; index++) submit();
    submit();
    expect(codes()).toEqual(['LOG_BUSY']);
  });
});
